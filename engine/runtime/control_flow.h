#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/plan/plan.h"
#include "engine/runtime/body_runner.h"

namespace inferd {

// Runs an If, Loop or Scan step by its bodies' runners, which are in the order of step.bodies.
// `inputs` and `outputs` as in StepContext; `slot` is the one the step's plan runs on. The outputs
// have storage of their own.
absl::Status RunControlFlow(const Step& step, absl::Span<const Tensor* const> inputs,
                            absl::Span<Tensor* const> outputs,
                            absl::Span<const std::unique_ptr<BodyRunner>> bodies, CoreSlot& slot);

}  // namespace inferd
