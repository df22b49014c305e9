#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/rotary.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kX, kPositions, kCos, kSin };

absl::StatusOr<RotaryShape> Resolve(const Attributes& attributes, const Shape& x, const Shape& cos,
                                    const Shape& sin) {
  if (cos.rank() != 2 || cos != sin) {
    return absl::InvalidArgumentError(absl::StrCat("caches have shapes ", cos.ToString(), " and ",
                                                   sin.ToString(), ", expected equal matrices"));
  }
  int64_t heads = attributes.Int("num_heads", 0);
  const int64_t rotated = attributes.Int("rotary_embedding_dim", 0);
  // The caches then tell how large a head is.
  if (heads == 0 && rotated == 0 && x.rank() == 3 && cos[1] > 0) heads = x[2] / (2 * cos[1]);
  ASSIGN_OR_RETURN(const RotaryShape shape, ResolveRotary(x, heads, rotated));
  if (shape.rotated / 2 == cos[1]) return shape;
  return absl::InvalidArgumentError(absl::StrCat("caches have ", cos[1], " columns, expected ",
                                                 shape.rotated / 2, " for X ", x.ToString()));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(
      CheckInputType(context, kX, {DType::kFloat32, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kCos, kSin}));
  RETURN_IF_ERROR(CheckInputType(context, kPositions, {DType::kInt64}));
  const float scale = context.attributes().Float("scale", 1);
  if (scale != 1) {
    return absl::UnimplementedError(
        absl::StrCat("attribute scale is ", scale, ", which is not supported; only 1 is"));
  }
  if (context.shape(kX).IsConcrete() && context.shape(kCos).IsConcrete() &&
      context.shape(kSin).IsConcrete()) {
    RETURN_IF_ERROR(Resolve(context.attributes(), context.shape(kX).ToShape(),
                            context.shape(kCos).ToShape(), context.shape(kSin).ToShape())
                        .status());
  }
  context.SetOutput(0, context.input_type(kX));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  const Tensor& cos = context.input(kCos);
  ASSIGN_OR_RETURN(const RotaryShape shape, Resolve(context.attributes(), x.shape(), cos.shape(),
                                                    context.input(kSin).shape()));
  ASSIGN_OR_RETURN(std::vector<int64_t> rows, context.input(kPositions).ToInt64s());
  if (rows.size() == 1 && context.input(kPositions).rank() < 2) {
    // The position of each batch entry's first token.
    RETURN_IF_ERROR(CheckPositions(rows, 1, cos.dim(0)));
    const int64_t first = rows[0];
    rows.clear();
    for (int64_t t = 0; t < shape.tokens(); ++t) rows.push_back(first + t % shape.sequence);
  }
  RETURN_IF_ERROR(CheckPositions(rows, shape.tokens(), cos.dim(0)));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  return RotateTokens(shape, context.attributes().Int("interleaved", 0) != 0, rows, cos,
                      context.input(kSin), x, y);
}

}  // namespace

OpDef RotaryEmbedding() {
  return {.domain = "com.microsoft",
          .name = "RotaryEmbedding",
          .min_inputs = 4,
          .max_inputs = 4,
          .attributes = {{"interleaved", AttributeKind::kInt},
                         {"is_packed_batching", AttributeKind::kInt},
                         {"num_heads", AttributeKind::kInt},
                         {"rotary_embedding_dim", AttributeKind::kInt},
                         {"scale", AttributeKind::kFloat}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
