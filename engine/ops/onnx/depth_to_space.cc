#include "engine/core/status_macros.h"
#include "engine/ops/block_mode.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<SymbolicShape> OutputShape(const SymbolicShape& input, int64_t block) {
  if (!input.has_rank()) return SymbolicShape::OfRank(4);
  if (input.rank() != 4 || (input[1].known() && input[1].value % (block * block) != 0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "input is ", input.ToString(), ", expected [N,C,H,W] with C divisible by ", block * block));
  }
  SymbolicShape output = input;
  if (input[1].known())
    output[1] = input[1].value / (block * block);
  else if (block != 1)
    output[1] = Dim();
  output[2] = input[2] * Dim(block);
  output[3] = input[3] * Dim(block);
  return output;
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const BlockMode mode, ParseBlockMode(context.attributes()));
  ASSIGN_OR_RETURN(SymbolicShape shape, OutputShape(context.shape(0), mode.size));
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const BlockMode mode, ParseBlockMode(context.attributes()));
  ASSIGN_OR_RETURN(const SymbolicShape symbolic, OutputShape(x.shape(), mode.size));
  if (!symbolic.IsConcrete()) return absl::InvalidArgumentError("the output shape overflows");
  const Shape shape = symbolic.ToShape();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  const int64_t block = mode.size;
  const int64_t plane = x.dim(2) * x.dim(3);
  // The output as [N, C', H, block row, W, block column]; channels hold the blocks in between.
  const Shape blocks({x.dim(0), shape[1], x.dim(2), block, x.dim(3), block});
  const int64_t channel = mode.column_row_depth ? block * block : 1;
  const int64_t within = mode.column_row_depth ? 1 : shape[1];
  const StridedBlock source = {
      0, {x.dim(1) * plane, channel * plane, x.dim(3), within * block * plane, 1, within * plane}};
  CopyStrided(blocks, x, source, y, WholeBlock(blocks));
  return absl::OkStatus();
}

}  // namespace

OpDef DepthToSpace() {
  return {
      .name = "DepthToSpace",
      .since = 28,
      .attributes = {{"blocksize", AttributeKind::kInt, true}, {"mode", AttributeKind::kString}},
      .infer = Infer,
      .compute = Compute};
}

}  // namespace inferd::ops::onnx
