#include "engine/ops/tree_ensemble.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Dim rows, RowsOf(context.shape(0)));
  const int64_t targets = context.attributes().Int("n_targets", 1);
  if (targets < 1) return absl::InvalidArgumentError("attribute n_targets is below 1");
  context.SetOutput(0, context.dtype(0), SymbolicShape({rows, Dim(targets)}));
  return absl::OkStatus();
}

template <typename X, typename Score>
absl::Status Evaluate(KernelContext& context, const TreeEnsemble& ensemble) {
  Tensor input = context.input(0);
  std::vector<float> widened;
  if (input.dtype() == DType::kFloat16) {
    for (Float16 value : input.values<Float16>()) widened.push_back(value);
    input = Tensor::View(DType::kFloat32, input.shape(), widened.data());
  }
  ASSIGN_OR_RETURN(const FeatureMatrix<X> x, ReadFeatures<X>(input, ensemble.features()));
  const int64_t transform = context.attributes().Int("post_transform", 0);
  if (transform < 0 || transform > 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute post_transform is ", transform, ", expected 0 to 4"));
  }
  const int64_t targets = ensemble.targets();
  const DType dtype = context.input(0).dtype();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, Shape({x.rows, targets})));
  std::vector<Score> scores(x.rows * targets);
  EvaluateTargets(ensemble, x.data, x.rows, x.columns, scores.data());
  for (int64_t row = 0; row < x.rows; ++row) {
    ApplyPostTransform(static_cast<PostTransform>(transform),
                       absl::MakeSpan(scores).subspan(row * targets, targets));
  }
  return DispatchTypes<float, double, Float16>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < scores.size(); ++i) {
      y->mutable_data<T>()[i] = static_cast<T>(scores[i]);
    }
    return absl::OkStatus();
  });
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const inferd::TreeEnsemble ensemble,
                   inferd::TreeEnsemble::FromIndexed(context.attributes()));
  const bool wide = ensemble.double_precision() || context.input(0).dtype() == DType::kFloat64;
  return wide ? Evaluate<double, double>(context, ensemble)
              : Evaluate<float, float>(context, ensemble);
}

}  // namespace

OpDef TreeEnsemble() {
  return {.domain = "ai.onnx.ml",
          .name = "TreeEnsemble",
          .since = 5,
          .attributes = {{"aggregate_function", AttributeKind::kInt},
                         {"leaf_targetids", AttributeKind::kInts, true},
                         {"leaf_weights", AttributeKind::kTensor, true},
                         {"membership_values", AttributeKind::kTensor},
                         {"n_targets", AttributeKind::kInt},
                         {"nodes_falseleafs", AttributeKind::kInts, true},
                         {"nodes_falsenodeids", AttributeKind::kInts, true},
                         {"nodes_featureids", AttributeKind::kInts, true},
                         {"nodes_hitrates", AttributeKind::kTensor},
                         {"nodes_missing_value_tracks_true", AttributeKind::kInts},
                         {"nodes_modes", AttributeKind::kTensor, true},
                         {"nodes_splits", AttributeKind::kTensor, true},
                         {"nodes_trueleafs", AttributeKind::kInts, true},
                         {"nodes_truenodeids", AttributeKind::kInts, true},
                         {"post_transform", AttributeKind::kInt},
                         {"tree_roots", AttributeKind::kInts, true}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
