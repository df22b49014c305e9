#pragma once

namespace inferd {

// Lets requests go before the calling thread, and those that it starts, wherever they want the same
// core. For good: without privileges a thread cannot go back.
void LowerPriority();

}  // namespace inferd
