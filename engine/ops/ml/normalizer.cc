#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(RowsOf(context.shape(0)).status());
  const std::string norm = context.attributes().String("norm", "MAX");
  if (norm != "MAX" && norm != "L1" && norm != "L2") {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute norm is \"", norm, "\", expected MAX, L1 or L2"));
  }
  context.SetOutput(0, DType::kFloat32, context.shape(0));
  return absl::OkStatus();
}

double NormOf(absl::string_view norm, const double* row, int64_t count) {
  double result = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (norm == "L2") {
      result += row[i] * row[i];
    } else {
      result = norm == "L1" ? result + std::abs(row[i]) : std::max(result, std::abs(row[i]));
    }
  }
  return norm == "L2" ? std::sqrt(result) : result;
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const FeatureMatrix<double> x, ReadFeatures<double>(context.input(0), 0));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, context.input(0).shape()));
  const std::string norm = context.attributes().String("norm", "MAX");
  for (int64_t row = 0; row < x.rows; ++row) {
    const double* from = x.data + row * x.columns;
    const double length = NormOf(norm, from, x.columns);
    for (int64_t i = 0; i < x.columns; ++i) {
      // A row whose norm is zero stays as it is.
      y->mutable_data<float>()[row * x.columns + i] =
          static_cast<float>(length == 0 ? from[i] : from[i] / length);
    }
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Normalizer() {
  return {.domain = "ai.onnx.ml",
          .name = "Normalizer",
          .since = 1,
          .attributes = {{"norm", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
