#include "engine/providers/cpu/simd/elementwise_step.h"

#include "absl/strings/str_cat.h"
#include "engine/ops/op_def.h"

namespace inferd::cpu {
namespace {

constexpr ElementwiseFamily (*kFamilies[])() = {UnaryFamily,   BinaryFamily, CompareFamily,
                                                IntegerFamily, SelectFamily, CastFamily};

}  // namespace

bool SupportsStep(const StepRequest& request) {
  for (const auto& family : kFamilies) {
    if (family().supports(request)) return true;
  }
  return false;
}

absl::StatusOr<std::unique_ptr<ElementwiseStep>> MakeStep(const StepRequest& request) {
  for (const auto& family : kFamilies) {
    if (family().supports(request)) return family().make(request);
  }
  return absl::InternalError(absl::StrCat("no elementwise kernel for ", request.op.name));
}

bool HasOperand(const StepRequest& request, size_t i) {
  return i < request.operands.size() && request.operands[i] != kNoValue;
}

DType OperandType(const StepRequest& request, size_t i) {
  if (!HasOperand(request, i)) return DType::kInvalid;
  return request.graph.value(request.operands[i]).type.dtype;
}

bool IsFloatOrBfloat16(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBfloat16;
}

bool LiesAsOutput(const StepRequest& request, size_t i) {
  const Value& operand = request.graph.value(request.operands[i]);
  const Value& output = request.graph.value(request.output);
  return operand.layout == output.layout && operand.type.shape.IsConcrete() &&
         operand.type.shape.SameAs(output.type.shape);
}

DType OutputType(const StepRequest& request) {
  return request.graph.value(request.output).type.dtype;
}

}  // namespace inferd::cpu
