#include <string>

#include "engine/core/status_macros.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  for (int i = 0; i < 2; ++i) RETURN_IF_ERROR(CheckInputType(context, i, {DType::kString}));
  return InferBroadcast(context);
}

// Broadcasting can multiply a long text.
absl::Status CheckTextSize(const KernelContext& context, const Shape& shape) {
  BroadcastWalk<2> walk(shape, {&context.input(0).shape(), &context.input(1).shape()});
  const std::string* left = context.input(0).data<std::string>();
  const std::string* right = context.input(1).data<std::string>();
  int64_t bytes = 0;
  for (int64_t i = 0; i < shape.num_elements(); ++i, walk.Next()) {
    bytes += static_cast<int64_t>(left[walk.offset(0)].size() + right[walk.offset(1)].size());
    if (bytes > context.limit_bytes()) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the concatenated texts take more than the limit of ", context.limit_bytes(), " bytes"));
    }
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const Shape shape,
                   BroadcastShapes(context.input(0).shape(), context.input(1).shape()));
  ASSIGN_OR_RETURN(const int64_t elements, shape.CheckedElements());
  if (elements > 0) RETURN_IF_ERROR(CheckTextSize(context, shape));
  return MapBinary<std::string, std::string>(
      context, [](const std::string& x, const std::string& y) { return x + y; });
}

}  // namespace

OpDef StringConcat() {
  return {.name = "StringConcat",
          .since = 20,
          .min_inputs = 2,
          .max_inputs = 2,
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
