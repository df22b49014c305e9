#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"
#include "engine/ops/tree_ensemble.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Dim rows, RowsOf(context.shape(0)));
  const int64_t targets = context.attributes().Int("n_targets", 1);
  if (targets < 1) return absl::InvalidArgumentError("attribute n_targets is below 1");
  context.SetOutput(0, DType::kFloat32, SymbolicShape({rows, Dim(targets)}));
  return absl::OkStatus();
}

template <typename X, typename Score>
absl::Status Regress(KernelContext& context, const TreeEnsemble& ensemble) {
  ASSIGN_OR_RETURN(const FeatureMatrix<X> x,
                   ReadFeatures<X>(context.input(0), ensemble.features()));
  ASSIGN_OR_RETURN(const PostTransform transform, ReadPostTransform(context.attributes()));
  const int64_t targets = ensemble.targets();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, Shape({x.rows, targets})));
  std::vector<Score> scores(x.rows * targets);
  EvaluateTargets(ensemble, x.data, x.rows, x.columns, scores.data());
  for (int64_t row = 0; row < x.rows; ++row) {
    ApplyPostTransform(transform, absl::MakeSpan(scores).subspan(row * targets, targets));
  }
  std::copy(scores.begin(), scores.end(), y->mutable_data<float>());
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const TreeEnsemble ensemble, TreeEnsemble::FromRegressor(context.attributes()));
  if (ensemble.double_precision()) return Regress<double, double>(context, ensemble);
  if (context.input(0).dtype() == DType::kFloat64) return Regress<double, float>(context, ensemble);
  return Regress<float, float>(context, ensemble);
}

}  // namespace

OpDef TreeEnsembleRegressor() {
  return {.domain = "ai.onnx.ml",
          .name = "TreeEnsembleRegressor",
          .since = 5,
          .attributes = {{"aggregate_function", AttributeKind::kString},
                         {"base_values", AttributeKind::kFloats},
                         {"base_values_as_tensor", AttributeKind::kTensor},
                         {"n_targets", AttributeKind::kInt},
                         {"nodes_falsenodeids", AttributeKind::kInts},
                         {"nodes_featureids", AttributeKind::kInts},
                         {"nodes_hitrates", AttributeKind::kFloats},
                         {"nodes_hitrates_as_tensor", AttributeKind::kTensor},
                         {"nodes_missing_value_tracks_true", AttributeKind::kInts},
                         {"nodes_modes", AttributeKind::kStrings},
                         {"nodes_nodeids", AttributeKind::kInts},
                         {"nodes_treeids", AttributeKind::kInts},
                         {"nodes_truenodeids", AttributeKind::kInts},
                         {"nodes_values", AttributeKind::kFloats},
                         {"nodes_values_as_tensor", AttributeKind::kTensor},
                         {"post_transform", AttributeKind::kString},
                         {"target_ids", AttributeKind::kInts},
                         {"target_nodeids", AttributeKind::kInts},
                         {"target_treeids", AttributeKind::kInts},
                         {"target_weights", AttributeKind::kFloats},
                         {"target_weights_as_tensor", AttributeKind::kTensor}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
