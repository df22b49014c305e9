#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

absl::Status CheckLengths(const Attributes& attributes, const Dim& columns) {
  for (const char* name : {"offset", "scale"}) {
    const size_t count = attributes.Floats(name).size();
    if (count <= 1 || !columns.known() || static_cast<int64_t>(count) == columns.value) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("attribute ", name, " has ", count, " values, expected 1 or ", columns.value));
  }
  return absl::OkStatus();
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& x = context.shape(0);
  if (x.rank() > 0) RETURN_IF_ERROR(CheckLengths(context.attributes(), x[x.rank() - 1]));
  context.SetOutput(0, DType::kFloat32, x);
  return absl::OkStatus();
}

// The value of a list for a column; one value serves all.
float ValueFor(const std::vector<float>& values, int64_t column, float missing) {
  if (values.empty()) return missing;
  return values.size() == 1 ? values[0] : values[column];
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const int64_t columns = x.rank() == 0 ? 1 : x.dim(x.rank() - 1);
  RETURN_IF_ERROR(CheckLengths(context.attributes(), Dim(columns)));
  const std::vector<float>& offset = context.attributes().Floats("offset");
  const std::vector<float>& scale = context.attributes().Floats("scale");
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, x.shape()));
  return DispatchTypes<float, double, int32_t, int64_t>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      const Wide shifted = static_cast<Wide>(x.data<T>()[i]) - ValueFor(offset, i % columns, 0);
      y->mutable_data<float>()[i] = static_cast<float>(shifted * ValueFor(scale, i % columns, 1));
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Scaler() {
  return {.domain = "ai.onnx.ml",
          .name = "Scaler",
          .since = 1,
          .attributes = {{"offset", AttributeKind::kFloats}, {"scale", AttributeKind::kFloats}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
