#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"
#include "engine/ops/tree_model.h"

namespace inferd::ops::ml {
namespace {

absl::StatusOr<ClassLabels> Labels(const Attributes& attributes) {
  return ReadClassLabels(attributes, "classlabels_int64s", "classlabels_strings");
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(context.attributes()));
  return InferClassifier(context, labels, labels.count());
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const TreeClassifier classifier,
                   TreeClassifier::FromAttributes(context.attributes()));
  return classifier.Run(context);
}

}  // namespace

OpDef TreeEnsembleClassifier() {
  return {.domain = "ai.onnx.ml",
          .name = "TreeEnsembleClassifier",
          .since = 5,
          .min_outputs = 2,
          .max_outputs = 2,
          .attributes = {{"base_values", AttributeKind::kFloats},
                         {"base_values_as_tensor", AttributeKind::kTensor},
                         {"class_ids", AttributeKind::kInts},
                         {"class_nodeids", AttributeKind::kInts},
                         {"class_treeids", AttributeKind::kInts},
                         {"class_weights", AttributeKind::kFloats},
                         {"class_weights_as_tensor", AttributeKind::kTensor},
                         {"classlabels_int64s", AttributeKind::kInts},
                         {"classlabels_strings", AttributeKind::kStrings},
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
                         {"post_transform", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
