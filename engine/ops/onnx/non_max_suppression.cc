#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kBoxes, kScores, kMaxPerClass, kIouThreshold, kScoreThreshold };

absl::Status CheckShapes(const SymbolicShape& boxes, const SymbolicShape& scores) {
  const bool ranks =
      (!boxes.has_rank() || boxes.rank() == 3) && (!scores.has_rank() || scores.rank() == 3);
  bool fits = ranks;
  if (fits && boxes.has_rank()) fits = !boxes[2].known() || boxes[2].value == 4;
  if (fits && boxes.has_rank() && scores.has_rank()) {
    const auto equal = [](const Dim& a, const Dim& b) {
      return !a.known() || !b.known() || a.value == b.value;
    };
    fits = equal(boxes[0], scores[0]) && equal(boxes[1], scores[2]);
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("boxes ", boxes.ToString(), " and scores ",
                                                 scores.ToString(),
                                                 ", expected [N,B,4] and [N,classes,B]"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, kBoxes, {DType::kFloat32}));
  RETURN_IF_ERROR(CheckInputType(context, kScores, {DType::kFloat32}));
  RETURN_IF_ERROR(CheckShapes(context.shape(kBoxes), context.shape(kScores)));
  context.SetOutput(0, DType::kInt64, SymbolicShape({Dim::Unknown(), Dim(3)}));
  return absl::OkStatus();
}

struct Box {
  float top, left, bottom, right;
  float area() const { return (bottom - top) * (right - left); }
};

// A box given by two opposite corners (y, x), or by centre (x, y), width and height.
Box ReadBox(const float* values, bool centered) {
  if (centered) {
    const float half_width = values[2] / 2, half_height = values[3] / 2;
    return {values[1] - half_height, values[0] - half_width, values[1] + half_height,
            values[0] + half_width};
  }
  return {std::min(values[0], values[2]), std::min(values[1], values[3]),
          std::max(values[0], values[2]), std::max(values[1], values[3])};
}

// Whether the intersection exceeds `threshold` times the union.
bool Overlap(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0) return false;
  const float intersection = height * width;
  const float united = a.area() + b.area() - intersection;
  return a.area() > 0 && b.area() > 0 && united > 0 && intersection / united > threshold;
}

struct Limits {
  int64_t max_per_class = 0;
  float iou_threshold = 0;
  bool has_score_threshold = false;
  float score_threshold = 0;
};

absl::StatusOr<double> ReadScalar(const KernelContext& context, int input, double missing) {
  if (!context.has_input(input)) return missing;
  ASSIGN_OR_RETURN(const std::vector<double> values, ToDoubles(context.input(input)));
  if (values.size() == 1) return values[0];
  return absl::InvalidArgumentError(absl::StrCat(
      "input ", input, " has shape ", context.input(input).shape().ToString(), ", expected [1]"));
}

absl::StatusOr<Limits> ReadLimits(const KernelContext& context) {
  Limits limits;
  ASSIGN_OR_RETURN(const double most, ReadScalar(context, kMaxPerClass, 0));
  ASSIGN_OR_RETURN(const double iou, ReadScalar(context, kIouThreshold, 0));
  ASSIGN_OR_RETURN(const double score, ReadScalar(context, kScoreThreshold, 0));
  if (!(iou >= 0 && iou <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("iou_threshold is ", iou, ", expected 0 to 1"));
  }
  limits.max_per_class = static_cast<int64_t>(std::clamp(most, 0.0, 1e15));
  limits.iou_threshold = static_cast<float>(iou);
  limits.has_score_threshold = context.has_input(kScoreThreshold);
  limits.score_threshold = static_cast<float>(score);
  return limits;
}

// The boxes of one class that are kept, best first.
std::vector<int64_t> SelectBoxes(const std::vector<Box>& boxes, const float* scores,
                                 const Limits& limits) {
  std::vector<int64_t> order;
  for (size_t i = 0; i < boxes.size(); ++i) {
    // A comparison that is false for NaN leaves those boxes out.
    const bool counts =
        !limits.has_score_threshold ? scores[i] == scores[i] : scores[i] > limits.score_threshold;
    if (counts) order.push_back(static_cast<int64_t>(i));
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  std::vector<int64_t> selected;
  for (int64_t candidate : order) {
    if (static_cast<int64_t>(selected.size()) >= limits.max_per_class) break;
    const bool suppressed = std::any_of(selected.begin(), selected.end(), [&](int64_t kept) {
      return Overlap(boxes[candidate], boxes[kept], limits.iou_threshold);
    });
    if (!suppressed) selected.push_back(candidate);
  }
  return selected;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& boxes = context.input(kBoxes);
  const Tensor& scores = context.input(kScores);
  RETURN_IF_ERROR(CheckShapes(boxes.shape(), scores.shape()));
  ASSIGN_OR_RETURN(const Limits limits, ReadLimits(context));
  const bool centered = context.attributes().Int("center_point_box", 0) != 0;
  const int64_t count = boxes.dim(1), classes = scores.dim(1);
  std::vector<int64_t> rows;
  // Without boxes nothing is selected, however many images and classes are claimed.
  const int64_t images = boxes.num_elements() == 0 || classes == 0 ? 0 : boxes.dim(0);
  for (int64_t image = 0; image < images; ++image) {
    std::vector<Box> image_boxes;
    for (int64_t i = 0; i < count; ++i) {
      image_boxes.push_back(ReadBox(boxes.data<float>() + (image * count + i) * 4, centered));
    }
    for (int64_t c = 0; c < classes; ++c) {
      const float* class_scores = scores.data<float>() + (image * classes + c) * count;
      for (int64_t box : SelectBoxes(image_boxes, class_scores, limits)) {
        rows.insert(rows.end(), {image, c, box});
      }
    }
  }
  const Shape shape({static_cast<int64_t>(rows.size()) / 3, 3});
  ASSIGN_OR_RETURN(Tensor * output, context.Output(0, DType::kInt64, shape));
  std::copy(rows.begin(), rows.end(), output->mutable_data<int64_t>());
  return absl::OkStatus();
}

}  // namespace

OpDef NonMaxSuppression() {
  return {.name = "NonMaxSuppression",
          .since = 11,
          .min_inputs = 2,
          .max_inputs = 5,
          .attributes = {{"center_point_box", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
