#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

constexpr int64_t kMostEmptyParts = 1 << 16;

// Without sizes every slice is a part of its own, and only then may the axis be dropped.
bool DropsAxis(const Attributes& attributes, bool has_sizes) {
  return !has_sizes && attributes.Int("keepdims", 1) == 0;
}

absl::Status Infer(InferContext& context) {
  SymbolicShape shape = context.shape(0);
  if (shape.has_rank()) {
    ASSIGN_OR_RETURN(const int axis,
                     NormalizeAxis(context.attributes().Int("axis", 0), shape.rank()));
    if (DropsAxis(context.attributes(), context.has_input(1))) {
      shape.mutable_dims().erase(shape.mutable_dims().begin() + axis);
    } else {
      shape[axis] = context.has_input(1) ? Dim() : Dim(1);
    }
  }
  context.SetOutput(0,
                    ValueType::OfSequence(ValueType::OfTensor(context.dtype(0), std::move(shape))));
  return absl::OkStatus();
}

// A scalar is the size of every part but a smaller last one; a list holds each part's size.
absl::StatusOr<std::vector<int64_t>> PartSizes(const KernelContext& context, int64_t dim) {
  if (!context.has_input(1)) return std::vector<int64_t>(dim, 1);
  ASSIGN_OR_RETURN(const std::vector<int64_t> given, context.input(1).ToInt64s());
  std::vector<int64_t> sizes;
  int64_t rest = dim;
  if (context.input(1).rank() == 0) {
    if (given[0] <= 0) {
      return absl::InvalidArgumentError(absl::StrCat("split is ", given[0], ", expected a size"));
    }
    for (; rest > 0; rest -= sizes.back()) sizes.push_back(std::min(given[0], rest));
    return sizes;
  }
  for (int64_t size : given) {
    if (size < 0 || size > rest) break;
    sizes.push_back(size);
    rest -= size;
  }
  if (sizes.size() == given.size() && rest == 0) return sizes;
  return absl::InvalidArgumentError(absl::StrCat("split sizes [", absl::StrJoin(given, ","),
                                                 "] do not divide a dimension of ", dim));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", 0), x.rank()));
  if (x.dim(axis) > std::max(x.num_elements(), kMostEmptyParts)) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot split ", x.TypeString()));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, PartSizes(context, x.dim(axis)));
  StridedBlock source = WholeBlock(x.shape());
  std::vector<Tensor> parts;
  for (int64_t size : sizes) {
    Shape shape = x.shape();
    shape[axis] = size;
    ASSIGN_OR_RETURN(Tensor part,
                     Tensor::Allocate(x.dtype(), shape, Layout::kRowMajor, context.limit_bytes()));
    CopyStrided(shape, x, source, &part, WholeBlock(shape));
    source.offset += size * source.strides[axis];
    if (DropsAxis(context.attributes(), context.has_input(1))) {
      shape.erase(axis);
      part = part.Reshaped(shape);
    }
    parts.push_back(std::move(part));
  }
  return context.SetOutput(0, Tensor::Sequence(std::move(parts)));
}

}  // namespace

OpDef SplitToSequence() {
  return {.name = "SplitToSequence",
          .since = 24,
          .min_inputs = 1,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeKind::kInt}, {"keepdims", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
