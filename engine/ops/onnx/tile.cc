#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<SymbolicShape> Tiled(const SymbolicShape& input,
                                    const std::vector<int64_t>& repeats) {
  if (!input.has_rank()) return SymbolicShape::OfRank(static_cast<int>(repeats.size()));
  if (static_cast<int>(repeats.size()) != input.rank()) {
    return absl::InvalidArgumentError(absl::StrCat("repeats has ", repeats.size(),
                                                   " entries, the input has rank ", input.rank()));
  }
  SymbolicShape output = input;
  for (int i = 0; i < output.rank(); ++i) {
    if (repeats[i] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("repeats has entry ", repeats[i]));
    }
    if (repeats[i] != 1) output[i] = output[i] * Dim(repeats[i]);
  }
  return output;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 1, {DType::kInt64}));
  const SymbolicShape& counts = context.shape(1);
  const int rank = context.shape(0).rank();
  if (counts.has_rank() &&
      (counts.rank() != 1 || (rank >= 0 && counts[0].known() && !counts[0].Is(rank)))) {
    return absl::InvalidArgumentError(absl::StrCat("repeats has shape ", counts.ToString(),
                                                   ", the input ", context.shape(0).ToString()));
  }
  ASSIGN_OR_RETURN(const auto repeats, context.Int64s(1));
  SymbolicShape shape;
  if (repeats) {
    ASSIGN_OR_RETURN(shape, Tiled(context.shape(0), *repeats));
  } else if (context.shape(0).has_rank()) {
    shape = SymbolicShape::OfRank(context.shape(0).rank());
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const std::vector<int64_t> repeats, context.input(1).ToInt64s());
  ASSIGN_OR_RETURN(const SymbolicShape tiled, Tiled(x.shape(), repeats));
  if (!tiled.IsConcrete()) return absl::InvalidArgumentError("the tiled shape overflows");
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), tiled.ToShape()));
  // Each dimension becomes two: the repeats, which do not move the source, and the elements.
  Shape doubled;
  StridedBlock source;
  const Shape::Dims strides = x.shape().RowMajorStrides();
  for (int i = 0; i < x.rank(); ++i) {
    doubled.push_back(repeats[i]);
    doubled.push_back(x.dim(i));
    source.strides.push_back(0);
    source.strides.push_back(strides[i]);
  }
  CopyStrided(doubled, x, source, y, WholeBlock(doubled));
  return absl::OkStatus();
}

}  // namespace

OpDef Tile() {
  return {.name = "Tile",
          .since = 13,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
