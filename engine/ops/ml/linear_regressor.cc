#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/linear_model.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Dim rows, RowsOf(context.shape(0)));
  const int64_t targets = context.attributes().Int("targets", 1);
  if (targets < 1) return absl::InvalidArgumentError("attribute targets is below 1");
  context.SetOutput(0, DType::kFloat32, SymbolicShape({rows, Dim(targets)}));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const int64_t targets = context.attributes().Int("targets", 1);
  ASSIGN_OR_RETURN(const PostTransform transform, ReadPostTransform(context.attributes()));
  ASSIGN_OR_RETURN(const FeatureMatrix<float> x, ReadFeatures<float>(context.input(0), 0));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, Shape({x.rows, targets})));
  ASSIGN_OR_RETURN(std::vector<float> scores, LinearScores(context.attributes(), x, targets));
  for (int64_t row = 0; row < x.rows; ++row) {
    ApplyPostTransform(transform, absl::MakeSpan(scores).subspan(row * targets, targets));
  }
  std::copy(scores.begin(), scores.end(), y->mutable_data<float>());
  return absl::OkStatus();
}

}  // namespace

OpDef LinearRegressor() {
  return {.domain = "ai.onnx.ml",
          .name = "LinearRegressor",
          .since = 1,
          .attributes = {{"coefficients", AttributeKind::kFloats},
                         {"intercepts", AttributeKind::kFloats},
                         {"post_transform", AttributeKind::kString},
                         {"targets", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
