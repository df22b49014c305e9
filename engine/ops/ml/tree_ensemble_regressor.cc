#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"
#include "engine/ops/tree_model.h"

namespace inferd::ops::ml {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Dim rows, RowsOf(context.shape(0)));
  const int64_t targets = context.attributes().Int("n_targets", 1);
  if (targets < 1) return absl::InvalidArgumentError("attribute n_targets is below 1");
  context.SetOutput(0, DType::kFloat32, SymbolicShape({rows, Dim(targets)}));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const TreeRegressor regressor,
                   TreeRegressor::FromAttributes(context.attributes()));
  return regressor.Run(context);
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
