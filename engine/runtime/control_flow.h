#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/plan/plan.h"

namespace inferd {

// Runs an If, Loop or Scan step over its bodies. `inputs` and `outputs` as in StepContext.
absl::Status RunControlFlow(const Step& step, absl::Span<const Tensor* const> inputs,
                            absl::Span<Tensor* const> outputs, int threads);

}  // namespace inferd
