#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/engine.h"

namespace inferd {

// Runs `model` once on `slot` with made-up inputs of one row, so that the first request is fast:
// floats 0, integers and booleans 1, strings empty, variable dimensions small. An error says why
// that was not possible; the model may still serve.
absl::Status WarmUp(Model& model, absl::Span<const TensorInfo> inputs, CoreSlot& slot);

// The shape that WarmUp gives an input.
Shape WarmUpShape(const TensorInfo& input);

}  // namespace inferd
