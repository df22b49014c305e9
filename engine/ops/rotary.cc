#include "engine/ops/rotary.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {

absl::StatusOr<RotaryShape> ResolveRotary(const Shape& x, int64_t heads, int64_t rotated) {
  if (x.rank() != 3 && x.rank() != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has shape ", x.ToString(), ", expected rank 3 or 4"));
  }
  RotaryShape shape;
  shape.flat = x.rank() == 3;
  shape.heads = shape.flat ? heads : x[1];
  if (shape.flat && (heads < 1 || x[2] % heads != 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute num_heads is ", heads, " for X ", x.ToString()));
  }
  shape.batch = x[0];
  shape.sequence = shape.flat ? x[1] : x[2];
  shape.head_size = shape.flat ? x[2] / shape.heads : x[3];
  shape.rotated = rotated == 0 ? shape.head_size : rotated;
  if (shape.rotated < 0 || shape.rotated > shape.head_size || shape.rotated % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot rotate ", shape.rotated,
                                                   " features of heads of size ", shape.head_size));
  }
  return shape;
}

absl::Status CheckPositions(const std::vector<int64_t>& positions, int64_t tokens,
                            int64_t cache_rows) {
  if (static_cast<int64_t>(positions.size()) != tokens) {
    return absl::InvalidArgumentError(absl::StrCat("position_ids has ", positions.size(),
                                                   " elements, expected ", tokens,
                                                   ", one for each token"));
  }
  for (int64_t position : positions) {
    if (position >= 0 && position < cache_rows) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("position_ids has ", position, " for caches of ", cache_rows, " rows"));
  }
  return absl::OkStatus();
}

absl::Status RotateTokens(const RotaryShape& shape, bool interleaved,
                          const std::vector<int64_t>& rows, const Tensor& cos, const Tensor& sin,
                          const Tensor& x, Tensor* y) {
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < shape.tokens() * shape.heads; ++i) {
      // Heads are innermost in flat X, tokens of a batch entry in the other.
      const int64_t token =
          shape.flat ? i / shape.heads
                     : i / (shape.heads * shape.sequence) * shape.sequence + i % shape.sequence;
      const int64_t at = rows[token] * (shape.rotated / 2);
      Rotate(shape.head_size, shape.rotated, interleaved, cos.data<T>() + at, sin.data<T>() + at,
             x.data<T>() + i * shape.head_size, y->mutable_data<T>() + i * shape.head_size);
    }
    return absl::OkStatus();
  });
}

}  // namespace inferd
