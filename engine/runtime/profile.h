#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace inferd {

// What a step of a plan is and how much it has to do in one run. A value type.
struct StepProfile {
  std::string name;  // of the node
  std::string op;
  std::string provider;
  std::string kernel;  // its description
  std::string output;  // type of the first output, such as "float32[1,64,56,56]"
  double flops = 0;    // multiplications and additions by the direct algorithm; 0: none to count
  int64_t bytes = 0;   // of its inputs, weights included, and outputs, each once
};

// When a step ran, counted from the beginning of its run.
struct StepTime {
  absl::Duration start;
  absl::Duration duration;
};

// The steps of a plan in order, and their times in every profiled run. A value type.
struct ModelProfile {
  std::vector<StepProfile> steps;
  std::vector<std::vector<StepTime>> runs;  // by run, then by step
};

}  // namespace inferd
