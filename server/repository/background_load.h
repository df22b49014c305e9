#pragma once

#include "absl/functional/function_ref.h"

namespace inferd {

// Runs `load` in a thread of low priority and waits for it. `threads` is the OpenMP count that
// `load` compiles with. `load` must not throw. Thread-safe.
void RunInBackground(int threads, absl::FunctionRef<void()> load);

}  // namespace inferd
