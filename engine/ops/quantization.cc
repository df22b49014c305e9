#include "engine/ops/quantization.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

absl::Status DoesNotFit(const std::string& scale, const std::string& x) {
  return absl::InvalidArgumentError(
      absl::StrCat("scale has shape ", scale, ", which fits no granularity of X ", x));
}

// The scale's dimension along `axis` for blocks of `block_size`.
int64_t Blocks(int64_t size, int64_t block_size) {
  return size / block_size + (size % block_size != 0 ? 1 : 0);
}

}  // namespace

absl::StatusOr<QuantizationGrid> QuantizationGrid::Make(const Attributes& attributes,
                                                        const Shape& x, const Shape& scale) {
  QuantizationGrid grid;
  const int64_t block_size = attributes.Int("block_size", 0);
  const int64_t elements = std::max<int64_t>(x.num_elements(), 1);
  grid.outer_stride_ = elements;
  grid.inner_ = elements;
  if (scale.num_elements() == 1 && (scale.rank() <= 1 || block_size == 0)) return grid;
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(attributes.Int("axis", 1), x.rank()));
  grid.inner_ = std::max<int64_t>(x.Product(axis + 1, x.rank()), 1);
  grid.outer_stride_ = std::max<int64_t>(grid.inner_ * x[axis], 1);
  grid.inner_scale_ = 1;
  if (scale.rank() == 1 && block_size == 0) {
    if (scale[0] != x[axis]) return DoesNotFit(scale.ToString(), x.ToString());
    return grid;
  }
  if (block_size < 1 || scale.rank() != x.rank()) {
    return DoesNotFit(scale.ToString(), x.ToString());
  }
  for (int i = 0; i < x.rank(); ++i) {
    if (scale[i] != (i == axis ? Blocks(x[i], block_size) : x[i])) {
      return DoesNotFit(scale.ToString(), x.ToString());
    }
  }
  grid.block_ = block_size;
  grid.inner_scale_ = grid.inner_;
  grid.scale_outer_stride_ = grid.inner_ * scale[axis];
  grid.per_inner_ = true;
  return grid;
}

absl::Status CheckQuantizationShapes(const InferContext& context, int x, int scale,
                                     int zero_point) {
  const SymbolicShape& x_shape = context.shape(x);
  const SymbolicShape& scale_shape = context.shape(scale);
  if (x_shape.IsConcrete() && scale_shape.IsConcrete()) {
    RETURN_IF_ERROR(
        QuantizationGrid::Make(context.attributes(), x_shape.ToShape(), scale_shape.ToShape())
            .status());
  }
  if (!context.has_input(zero_point)) return absl::OkStatus();
  const SymbolicShape& zero_shape = context.shape(zero_point);
  if (!scale_shape.IsConcrete() || !zero_shape.IsConcrete() ||
      zero_shape.ToShape().num_elements() == scale_shape.ToShape().num_elements()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("zero point has shape ", zero_shape.ToString(),
                                                 ", scale has ", scale_shape.ToString()));
}

bool IsQuantizedType(DType dtype) {
  switch (dtype) {
    case DType::kInt32:
    case DType::kFloat8E4m3fn:
    case DType::kFloat8E4m3fnuz:
    case DType::kFloat8E5m2:
    case DType::kFloat8E5m2fnuz:
    case DType::kFloat4E2m1:
      return true;
    default:
      return QuantizedRange(dtype).ok();
  }
}

absl::StatusOr<IntegerRange> QuantizedRange(DType dtype) {
  switch (dtype) {
    case DType::kUint8:
      return IntegerRange{0, 255};
    case DType::kInt8:
      return IntegerRange{-128, 127};
    case DType::kUint16:
      return IntegerRange{0, 65535};
    case DType::kInt16:
      return IntegerRange{-32768, 32767};
    case DType::kUint4:
      return IntegerRange{0, 15};
    case DType::kInt4:
      return IntegerRange{-8, 7};
    case DType::kUint2:
      return IntegerRange{0, 3};
    case DType::kInt2:
      return IntegerRange{-2, 1};
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("element type ", DTypeName(dtype), " is no quantized integer type"));
  }
}

absl::StatusOr<std::vector<int64_t>> ReadZeroPoints(const Tensor* tensor, int64_t count) {
  if (tensor == nullptr) return std::vector<int64_t>(count, 0);
  if (tensor->num_elements() != count && tensor->num_elements() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "zero point has shape ", tensor->shape().ToString(), ", expected ", count, " elements"));
  }
  std::vector<int64_t> values;
  switch (tensor->dtype()) {
    case DType::kUint4:
    case DType::kUint2: {
      const auto bytes = tensor->values<uint8_t>();
      values.assign(bytes.begin(), bytes.end());
      break;
    }
    case DType::kInt4:
    case DType::kInt2: {
      const auto bytes = tensor->values<int8_t>();
      values.assign(bytes.begin(), bytes.end());
      break;
    }
    default: {
      ASSIGN_OR_RETURN(values, tensor->ToInt64s());
    }
  }
  values.resize(count, values.empty() ? 0 : values[0]);
  return values;
}

int64_t QuantizeValue(double scaled, int64_t zero_point, const IntegerRange& range) {
  if (std::isnan(scaled)) return std::clamp(zero_point, range.lowest, range.highest);
  // Far outside the range the exact value does not matter, and the sum must not overflow.
  const double rounded = std::nearbyint(std::clamp(scaled, -1e9, 1e9));
  return std::clamp(static_cast<int64_t>(rounded) + zero_point, range.lowest, range.highest);
}

UnsignedQuantization QuantizationOfRange(absl::Span<const float> values) {
  float lowest = 0;
  float highest = 0;
  for (float value : values) {
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  const float spread = (highest - lowest) / 255.0f;
  const float scale = spread == 0 ? 1.0f : spread;
  return {scale, QuantizeValue(-lowest / scale, 0, {0, 255})};
}

uint8_t QuantizeUnsigned(float value, const UnsignedQuantization& quantization) {
  return static_cast<uint8_t>(
      QuantizeValue(value / quantization.scale, quantization.zero_point, {0, 255}));
}

std::vector<uint32_t> Centered(const Tensor& tensor, const std::vector<int64_t>& zero_points,
                               int64_t stride, int64_t size) {
  std::vector<uint32_t> values;
  values.reserve(tensor.num_elements());
  const bool is_signed = tensor.dtype() == DType::kInt8;
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const int64_t value =
        is_signed ? int64_t{tensor.data<int8_t>()[i]} : int64_t{tensor.data<uint8_t>()[i]};
    const int64_t zero = zero_points[zero_points.size() == 1 ? 0 : i / stride % size];
    values.push_back(static_cast<uint32_t>(value - zero));
  }
  return values;
}

}  // namespace inferd
