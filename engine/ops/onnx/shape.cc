#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

struct Range {
  int begin;
  int end;
};

// The dimensions [start, end) of `rank`; both count from the back when negative and are clamped.
Range Selected(const Attributes& attributes, int rank) {
  const auto clamped = [rank](int64_t axis) {
    if (axis < 0) axis += rank;
    return static_cast<int>(std::clamp<int64_t>(axis, 0, rank));
  };
  const int begin = clamped(attributes.Int("start", 0));
  return {begin, std::max(begin, clamped(attributes.Int("end", rank)))};
}

absl::Status Infer(InferContext& context) {
  Dim length;
  if (context.shape(0).has_rank()) {
    const Range range = Selected(context.attributes(), context.shape(0).rank());
    length = range.end - range.begin;
  }
  context.SetOutput(0, DType::kInt64, SymbolicShape({length}));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Range range = Selected(context.attributes(), x.rank());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kInt64, {range.end - range.begin}));
  for (int i = range.begin; i < range.end; ++i) {
    y->mutable_data<int64_t>()[i - range.begin] = x.dim(i);
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Shape() {
  return {.name = "Shape",
          .since = 25,
          .attributes = {{"start", AttributeKind::kInt}, {"end", AttributeKind::kInt}},
          .shape_only = true,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
