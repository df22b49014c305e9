#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/linear_model.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"

namespace inferd::ops::ml {
namespace {

absl::StatusOr<ClassLabels> Labels(const Attributes& attributes) {
  return ReadClassLabels(attributes, "classlabels_ints", "classlabels_strings");
}

// Columns of score the coefficients make; one serves two classes.
int64_t ScoreColumns(const Attributes& attributes, const ClassLabels& labels) {
  const int64_t intercepts = static_cast<int64_t>(attributes.Floats("intercepts").size());
  return labels.count() == 2 && intercepts == 1 ? 1 : labels.count();
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(context.attributes()));
  return InferClassifier(context, labels, labels.count());
}

absl::Status Compute(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(attributes));
  ASSIGN_OR_RETURN(const PostTransform transform, ReadPostTransform(attributes));
  ASSIGN_OR_RETURN(const FeatureMatrix<float> x, ReadFeatures<float>(context.input(0), 0));
  const int64_t classes = labels.count();
  int64_t columns = ScoreColumns(attributes, labels);
  if (classes == 2 && static_cast<int64_t>(attributes.Floats("coefficients").size()) == x.columns) {
    columns = 1;
  }
  ASSIGN_OR_RETURN(const std::vector<float> raw, LinearScores(attributes, x, columns));
  std::vector<float> scores(x.rows * classes);
  std::vector<int64_t> winners(x.rows);
  for (int64_t row = 0; row < x.rows; ++row) {
    const absl::Span<float> to = absl::MakeSpan(scores).subspan(row * classes, classes);
    if (columns == 1 && classes == 2) {
      to[1] = raw[row];
      to[0] = -raw[row];
    } else {
      std::copy_n(raw.begin() + row * classes, classes, to.begin());
    }
    winners[row] = std::max_element(to.begin(), to.end()) - to.begin();
    ApplyPostTransform(transform, to);
  }
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(1, DType::kFloat32, Shape({x.rows, classes})));
    std::copy(scores.begin(), scores.end(), output->mutable_data<float>());
  }
  return StoreLabels(context, labels, winners);
}

}  // namespace

OpDef LinearClassifier() {
  return {.domain = "ai.onnx.ml",
          .name = "LinearClassifier",
          .since = 1,
          .min_outputs = 2,
          .max_outputs = 2,
          .attributes = {{"classlabels_ints", AttributeKind::kInts},
                         {"classlabels_strings", AttributeKind::kStrings},
                         {"coefficients", AttributeKind::kFloats, true},
                         {"intercepts", AttributeKind::kFloats},
                         {"multi_class", AttributeKind::kInt},
                         {"post_transform", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
