#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/rotary.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX, kCos, kSin, kPositions };

// X is [N,heads,S,size] or [N,S,heads*size].
struct RotaryShape {
  int64_t batch, heads, sequence, head_size, rotated;
  bool flat;
};

absl::StatusOr<RotaryShape> Resolve(const Attributes& attributes, const Shape& x) {
  RotaryShape shape{};
  shape.flat = x.rank() == 3;
  shape.heads = shape.flat ? attributes.Int("num_heads", 0) : x.rank() == 4 ? x[1] : 0;
  if (x.rank() != 3 && x.rank() != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has shape ", x.ToString(), ", expected rank 3 or 4"));
  }
  if (shape.flat && (shape.heads < 1 || x[2] % shape.heads != 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute num_heads is ", shape.heads, " for X ", x.ToString()));
  }
  shape.batch = x[0];
  shape.sequence = shape.flat ? x[1] : x[2];
  shape.head_size = shape.flat ? x[2] / shape.heads : x[3];
  shape.rotated = attributes.Int("rotary_embedding_dim", 0);
  if (shape.rotated == 0) shape.rotated = shape.head_size;
  if (shape.rotated < 0 || shape.rotated > shape.head_size || shape.rotated % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot rotate ", shape.rotated,
                                                   " features of heads of size ", shape.head_size));
  }
  return shape;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kCos, kSin}));
  if (context.shape(kX).IsConcrete()) {
    RETURN_IF_ERROR(Resolve(context.attributes(), context.shape(kX).ToShape()).status());
  }
  context.SetOutput(0, context.input_type(kX));
  return absl::OkStatus();
}

// The row of the caches for every (n, s).
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
    for (int64_t i = 0; i < shape.batch * shape.sequence; ++i) rows.push_back(i);
    return rows;
  }
  ASSIGN_OR_RETURN(rows, context.input(kPositions).ToInt64s());
  if (static_cast<int64_t>(rows.size()) != shape.batch * shape.sequence) {
    return absl::InvalidArgumentError(
        absl::StrCat("position_ids has shape ", context.input(kPositions).shape().ToString(),
                     ", expected ", Shape({shape.batch, shape.sequence}).ToString()));
  }
  for (int64_t row : rows) {
    if (row < 0 || row >= cos[0]) {
      return absl::InvalidArgumentError(
          absl::StrCat("position_ids has ", row, " for caches of ", cos[0], " rows"));
    }
  }
  return rows;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  ASSIGN_OR_RETURN(const RotaryShape shape, Resolve(context.attributes(), x.shape()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> rows, CacheRows(context, shape));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  const bool interleaved = context.attributes().Int("interleaved", 0) != 0;
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < shape.batch * shape.heads * shape.sequence; ++i) {
      // Heads are innermost in [N,S,heads,size], sequences in [N,heads,S,size].
      const int64_t token =
          shape.flat ? i / shape.heads
                     : i / (shape.heads * shape.sequence) * shape.sequence + i % shape.sequence;
      const int64_t cache = rows[token] * (shape.rotated / 2);
      Rotate(shape.head_size, shape.rotated, interleaved, context.input(kCos).data<T>() + cache,
             context.input(kSin).data<T>() + cache, x.data<T>() + i * shape.head_size,
             y->mutable_data<T>() + i * shape.head_size);
    }
    return absl::OkStatus();
  });
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
