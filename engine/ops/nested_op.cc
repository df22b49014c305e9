#include "engine/ops/nested_op.h"

#include <utility>

#include "engine/core/status_macros.h"
#include "engine/graph/graph.h"
#include "engine/ops/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/view.h"

namespace inferd {

absl::StatusOr<ValueType> InferNested(absl::string_view op, const Attributes& attributes,
                                      std::vector<const ValueType*> types,
                                      std::vector<const Tensor*> constants) {
  Node node;
  node.op = &OpRegistry::Builtin().Get("", op);
  node.attributes = attributes;
  node.outputs = {0};
  constants.resize(types.size(), nullptr);
  InferContext context(node, std::move(types), std::move(constants));
  RETURN_IF_ERROR(node.op->infer(context));
  return context.output_type(0);
}

absl::StatusOr<Tensor> ComputeNested(absl::string_view op, const Attributes& attributes,
                                     const std::vector<const Tensor*>& inputs,
                                     int64_t limit_bytes) {
  Tensor result;
  Tensor* const outputs[] = {&result};
  KernelContext context(attributes, inputs, outputs, false, limit_bytes);
  RETURN_IF_ERROR(OpRegistry::Builtin().Get("", op).compute(context));
  return result;
}

absl::Status StoreOutput(KernelContext& context, int i, const Tensor& values) {
  ASSIGN_OR_RETURN(Tensor * y, context.Output(i, values.dtype(), values.shape()));
  CopyElements(values, 0, y, 0, values.num_elements());
  return absl::OkStatus();
}

}  // namespace inferd
