#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/rotary.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX, kCos, kSin, kPositions };

absl::StatusOr<RotaryShape> Resolve(const Attributes& attributes, const Shape& x) {
  return ResolveRotary(x, attributes.Int("num_heads", 0),
                       attributes.Int("rotary_embedding_dim", 0));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kCos, kSin}));
  if (context.shape(kX).IsConcrete()) {
    RETURN_IF_ERROR(Resolve(context.attributes(), context.shape(kX).ToShape()).status());
  }
  context.SetOutput(0, context.input_type(kX));
  return absl::OkStatus();
}

// The row of the caches for every token.
absl::StatusOr<std::vector<int64_t>> CacheRows(const KernelContext& context,
                                               const RotaryShape& shape) {
  const Shape& cos = context.input(kCos).shape();
  const bool by_position = context.has_input(kPositions);
  const Shape expected = by_position ? Shape({cos.rank() == 2 ? cos[0] : 0, shape.rotated / 2})
                                     : Shape({shape.batch, shape.sequence, shape.rotated / 2});
  if (cos != expected || context.input(kSin).shape() != expected) {
    return absl::InvalidArgumentError(absl::StrCat("caches have shapes ", cos.ToString(), " and ",
                                                   context.input(kSin).shape().ToString(),
                                                   ", expected ", expected.ToString()));
  }
  std::vector<int64_t> rows;
  if (!by_position) {
    for (int64_t i = 0; i < shape.tokens(); ++i) rows.push_back(i);
    return rows;
  }
  ASSIGN_OR_RETURN(rows, context.input(kPositions).ToInt64s());
  RETURN_IF_ERROR(CheckPositions(rows, shape.tokens(), cos[0]));
  return rows;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  ASSIGN_OR_RETURN(const RotaryShape shape, Resolve(context.attributes(), x.shape()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> rows, CacheRows(context, shape));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  return RotateTokens(shape, context.attributes().Int("interleaved", 0) != 0, rows,
                      context.input(kCos), context.input(kSin), x, y);
}

}  // namespace

OpDef RotaryEmbedding() {
  return {.name = "RotaryEmbedding",
          .since = 23,
          .min_inputs = 3,
          .max_inputs = 4,
          .attributes = {{"interleaved", AttributeKind::kInt},
                         {"num_heads", AttributeKind::kInt},
                         {"rotary_embedding_dim", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
