#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

// Where output dimension i comes from; the reverse order without the attribute.
absl::StatusOr<std::vector<int>> Permutation(const Attributes& attributes, int rank) {
  if (!attributes.Has("perm")) {
    std::vector<int> reversed(rank);
    for (int i = 0; i < rank; ++i) reversed[i] = rank - 1 - i;
    return reversed;
  }
  const std::vector<int64_t>& perm = attributes.Ints("perm");
  if (static_cast<int>(perm.size()) != rank) {
    return absl::InvalidArgumentError(
        absl::StrCat("perm has ", perm.size(), " entries, the input has rank ", rank));
  }
  return NormalizeAxes(perm, rank);
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  SymbolicShape output;
  if (input.has_rank()) {
    ASSIGN_OR_RETURN(const std::vector<int> perm, Permutation(context.attributes(), input.rank()));
    output = SymbolicShape::OfRank(input.rank());
    for (int i = 0; i < input.rank(); ++i) output[i] = input[perm[i]];
  } else if (context.attributes().Has("perm")) {
    output = SymbolicShape::OfRank(static_cast<int>(context.attributes().Ints("perm").size()));
  }
  context.SetOutput(0, context.dtype(0), std::move(output));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const std::vector<int> perm, Permutation(context.attributes(), x.rank()));
  const Shape::Dims strides = x.shape().RowMajorStrides();
  Shape shape;
  StridedBlock source;
  for (int axis : perm) {
    shape.push_back(x.dim(axis));
    source.strides.push_back(strides[axis]);
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  CopyStrided(shape, x, source, y, WholeBlock(shape));
  return absl::OkStatus();
}

}  // namespace

OpDef Transpose() {
  return {.name = "Transpose",
          .since = 25,
          .attributes = {{"perm", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
