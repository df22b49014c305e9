#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"
#include "engine/ops/svm_model.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Dim rows, RowsOf(context.shape(0)));
  context.SetOutput(0, DType::kFloat32, SymbolicShape({rows, Dim(1)}));
  return absl::OkStatus();
}

absl::Status CheckLengths(const Attributes& attributes, int64_t supports, int64_t columns) {
  const int64_t coefficients = static_cast<int64_t>(attributes.Floats("coefficients").size());
  const int64_t vectors = static_cast<int64_t>(attributes.Floats("support_vectors").size());
  if (attributes.Floats("rho").size() != 1) {
    return absl::InvalidArgumentError("attribute rho must have one value");
  }
  const bool fits = supports > 0 ? coefficients == supports && vectors % supports == 0 &&
                                       vectors / supports == columns
                                 : supports == 0 && coefficients == columns;
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("attributes coefficients (", coefficients, "), support_vectors (", vectors,
                   ") and n_supports (", supports, ") do not fit X with ", columns, " columns"));
}

absl::Status Compute(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(const FeatureMatrix<float> x, ReadFeatures<float>(context.input(0), 0));
  ASSIGN_OR_RETURN(const PostTransform transform, ReadPostTransform(attributes));
  ASSIGN_OR_RETURN(const SvmKernel kernel, SvmKernel::Read(attributes));
  const int64_t supports = attributes.Int("n_supports", 0);
  RETURN_IF_ERROR(CheckLengths(attributes, supports, x.columns));
  const std::vector<float>& coefficients = attributes.Floats("coefficients");
  const std::vector<float>& vectors = attributes.Floats("support_vectors");
  const bool one_class = attributes.Int("one_class", 0) != 0;
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, Shape({x.rows, 1})));
  for (int64_t row = 0; row < x.rows; ++row) {
    const float* features = x.data + row * x.columns;
    double sum = attributes.Floats("rho")[0];
    for (int64_t s = 0; s < supports; ++s) {
      sum += coefficients[s] * kernel.Value(features, vectors.data() + s * x.columns, x.columns);
    }
    if (supports == 0) {
      sum += SvmKernel::Linear().Value(features, coefficients.data(), x.columns);
    }
    float score = static_cast<float>(one_class ? (sum > 0 ? 1 : -1) : sum);
    ApplyPostTransform(transform, absl::Span<float>(&score, 1));
    y->mutable_data<float>()[row] = score;
  }
  return absl::OkStatus();
}

}  // namespace

OpDef SvmRegressor() {
  return {.domain = "ai.onnx.ml",
          .name = "SVMRegressor",
          .since = 1,
          .attributes = {{"coefficients", AttributeKind::kFloats},
                         {"kernel_params", AttributeKind::kFloats},
                         {"kernel_type", AttributeKind::kString},
                         {"n_supports", AttributeKind::kInt},
                         {"one_class", AttributeKind::kInt},
                         {"post_transform", AttributeKind::kString},
                         {"rho", AttributeKind::kFloats},
                         {"support_vectors", AttributeKind::kFloats}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
