#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/join.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

bool AddsAxis(const Attributes& attributes) { return attributes.Int("new_axis", 0) != 0; }

absl::Status Infer(InferContext& context) {
  const ValueType element = ElementType(context.input_type(0));
  SymbolicShape shape = element.shape;
  if (shape.has_rank()) {
    const bool adds = AddsAxis(context.attributes());
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", 0),
                                                   shape.rank() + (adds ? 1 : 0)));
    if (adds) {
      shape.mutable_dims().insert(shape.mutable_dims().begin() + axis, Dim());
    } else {
      shape[axis] = Dim();
    }
  }
  context.SetOutput(0, element.dtype, std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckSequence(context, 0));
  std::vector<Tensor> elements = context.input(0).elements();
  if (elements.empty()) return absl::InvalidArgumentError("the sequence is empty");
  const int64_t axis = context.attributes().Int("axis", 0);
  std::vector<const Tensor*> parts;
  for (Tensor& element : elements) {
    if (element.kind() != ValueKind::kTensor) {
      return absl::InvalidArgumentError("the sequence does not hold tensors");
    }
    if (AddsAxis(context.attributes())) {
      Shape shape = element.shape();
      ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, shape.rank() + 1));
      shape.insert(at, 1);
      element = element.Reshaped(shape);
    }
    parts.push_back(&element);
  }
  return JoinTensors(context, parts, axis);
}

}  // namespace

OpDef ConcatFromSequence() {
  return {.name = "ConcatFromSequence",
          .since = 11,
          .attributes = {{"axis", AttributeKind::kInt, true}, {"new_axis", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
