#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"
#include "engine/ops/infer_context.h"

namespace inferd {

// Which element of scale and zero point serves an element of X. Three granularities: one for the
// whole tensor, one per slice of `axis` (1-D scale), or one per block of `block_size` along `axis`
// (scale of X's rank). A value type.
class QuantizationGrid {
 public:
  // INVALID_ARGUMENT when the scale's shape fits none of them.
  static absl::StatusOr<QuantizationGrid> Make(const Attributes& attributes, const Shape& x,
                                               const Shape& scale);
  // The scale's element for element i of X.
  int64_t ScaleIndex(int64_t i) const {
    return i / outer_stride_ * scale_outer_stride_ +
           i % outer_stride_ / inner_ / block_ * inner_scale_ + (per_inner_ ? i % inner_ : 0);
  }

 private:
  int64_t outer_stride_ = 1;  // elements of X in one index of the dimensions before axis
  int64_t scale_outer_stride_ = 0;
  int64_t inner_ = 1;  // elements of X behind axis
  int64_t block_ = 1;
  int64_t inner_scale_ = 0;
  bool per_inner_ = false;
};

// Checks what is known of the shapes, as Make does.
absl::Status CheckQuantizationShapes(const InferContext& context, int x, int scale, int zero_point);

// True for types that QuantizeLinear makes: 2- to 16-bit integers, fp8 and fp4 (and int32, which
// DequantizeLinear takes).
bool IsQuantizedType(DType dtype);
// Range of a quantized integer type.
struct IntegerRange {
  int64_t lowest = 0;
  int64_t highest = 0;
};
absl::StatusOr<IntegerRange> QuantizedRange(DType dtype);

// Zero points of any quantized integer type as int64; zeros for a null tensor.
absl::StatusOr<std::vector<int64_t>> ReadZeroPoints(const Tensor* tensor, int64_t count);

// Rounds to the nearest integer, halves to even, and saturates into `range`; NaN becomes 0 + zero
// point, as the standard leaves it open.
int64_t QuantizeValue(double scaled, int64_t zero_point, const IntegerRange& range);

// How DynamicQuantizeLinear quantizes these values to uint8: over their range widened to contain 0.
struct UnsignedQuantization {
  float scale;
  int64_t zero_point;
};
UnsignedQuantization QuantizationOfRange(absl::Span<const float> values);
uint8_t QuantizeUnsigned(float value, const UnsignedQuantization& quantization);

// Elements of an 8-bit tensor as accumulators, less the zero point of their slice: `zero_points`
// has one value, or one for each index of the dimension whose stride is `stride` and size `size`.
std::vector<uint32_t> Centered(const Tensor& tensor, const std::vector<int64_t>& zero_points,
                               int64_t stride, int64_t size);

}  // namespace inferd
