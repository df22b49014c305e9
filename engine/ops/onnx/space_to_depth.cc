#include "engine/core/status_macros.h"
#include "engine/ops/block_mode.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<SymbolicShape> OutputShape(const SymbolicShape& input, int64_t block) {
  if (!input.has_rank()) return SymbolicShape::OfRank(4);
  bool fits = input.rank() == 4;
  for (int i = 2; fits && i < 4; ++i) fits = !input[i].known() || input[i].value % block == 0;
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "input is ", input.ToString(), ", expected [N,C,H,W] with H and W divisible by ", block));
  }
  SymbolicShape output = input;
  output[1] = input[1] * Dim(block * block);
  for (int i = 2; i < 4; ++i) {
    output[i] = input[i].known() ? Dim(input[i].value / block) : Dim();
  }
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
  const int64_t plane = shape[2] * shape[3];
  // The input as [N, C, H', block row, W', block column]; blocks go to channels of the output.
  const Shape blocks({x.dim(0), x.dim(1), shape[2], block, shape[3], block});
  const int64_t channel = mode.column_row_depth ? block * block : 1;
  const int64_t within = mode.column_row_depth ? 1 : x.dim(1);
  const StridedBlock target = {
      0, {shape[1] * plane, channel * plane, shape[3], within * block * plane, 1, within * plane}};
  CopyStrided(blocks, x, WholeBlock(blocks), y, target);
  return absl::OkStatus();
}

}  // namespace

OpDef SpaceToDepth() {
  return {
      .name = "SpaceToDepth",
      .since = 28,
      .attributes = {{"blocksize", AttributeKind::kInt, true}, {"mode", AttributeKind::kString}},
      .infer = Infer,
      .compute = Compute};
}

}  // namespace inferd::ops::onnx
