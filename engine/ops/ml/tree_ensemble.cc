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
  context.SetOutput(0, context.dtype(0), SymbolicShape({rows, Dim(targets)}));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const TreeScorer scorer, TreeScorer::FromAttributes(context.attributes()));
  return scorer.Run(context);
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
