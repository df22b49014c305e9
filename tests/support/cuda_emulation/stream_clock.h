#pragma once

namespace inferd::cuda_emulation {

// What emulated work takes, so that algorithms that do the same have different times. Events read
// this clock; it stands still between.
void PassTime(double milliseconds);

}  // namespace inferd::cuda_emulation
