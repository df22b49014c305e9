#pragma once

#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd {

// What Adagrad, Adam and Momentum have in common: inputs are the learning rate R, the update count
// T and then `inputs` groups of as many tensors each (values, gradients, states); outputs are
// `inputs - 1` groups: new values and new states. Tensor i of every group has one shape and type.

// The shape rule.
absl::Status InferOptimizer(InferContext& context, int inputs);

// One step over all tensors, computed in double: update(attributes, rate, count, element) gets an
// element of every group, values and gradients first, and replaces the value in element[0] and the
// states from element[2] on.
using OptimizerUpdate = void (*)(const Attributes& attributes, double rate, double count,
                                 double* element);
absl::Status ComputeOptimizer(KernelContext& context, int inputs, OptimizerUpdate update);

// The definition of optimizer `name` of ai.onnx.preview.training.
OpDef OptimizerOp(absl::string_view name, std::vector<AttributeSpec> attributes,
                  absl::Status (*infer)(InferContext& context),
                  absl::Status (*compute)(KernelContext& context));

}  // namespace inferd
