#pragma once

#include <string>

#include "engine/engine.h"

namespace inferd {

// Texts made from a profile, whose runs are all of one plan. Times of steps are medians over runs.

// Two tables, the slowest first: operators with their kernels, then single steps with Gop/s (direct
// arithmetic) and GB/s (tensors read and written).
std::string ProfileTable(const ModelProfile& profile);

// The steps in order as a JSON list of objects.
std::string ProfileJson(const ModelProfile& profile);

// The last runs in the trace event format that chrome://tracing and Perfetto read, one after the
// other from time 0.
std::string ChromeTrace(const ModelProfile& profile);

}  // namespace inferd
