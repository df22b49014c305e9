#include "engine/ops/integer_convolution.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/quantization.h"

namespace inferd {
namespace {

absl::Status Check8Bits(const Tensor& tensor) {
  if (tensor.dtype() == DType::kInt8 || tensor.dtype() == DType::kUint8) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("element type ", DTypeName(tensor.dtype()), ", expected int8 or uint8"));
}

}  // namespace

absl::StatusOr<std::vector<uint32_t>> IntegerConvolution(const ConvolutionShape& shape,
                                                         const Tensor& x, const Tensor* x_zero,
                                                         const Tensor& w, const Tensor* w_zero,
                                                         const Tensor* bias) {
  RETURN_IF_ERROR(Check8Bits(x));
  RETURN_IF_ERROR(Check8Bits(w));
  const int64_t channels = shape.out_channels.value;
  ASSIGN_OR_RETURN(const std::vector<int64_t> x_zeros, ReadZeroPoints(x_zero, 1));
  ASSIGN_OR_RETURN(const std::vector<int64_t> w_zeros, ReadZeroPoints(w_zero, channels));
  const int64_t filter = channels == 0 ? 1 : std::max<int64_t>(w.num_elements() / channels, 1);
  const std::vector<uint32_t> source = Centered(x, x_zeros, 1, 1);
  const std::vector<uint32_t> weights = Centered(w, w_zeros, filter, channels);
  std::vector<uint32_t> sums(shape.Output().ToShape().num_elements());
  if (sums.empty()) return sums;
  const int64_t plane = shape.window.output_elements();
  for (size_t i = 0; bias != nullptr && i < sums.size(); ++i) {
    sums[i] =
        static_cast<uint32_t>(bias->data<int32_t>()[static_cast<int64_t>(i) / plane % channels]);
  }
  const int64_t image = shape.in_channels.value * shape.window.input_elements();
  for (int64_t n = 0; n < shape.batch.value; ++n) {
    ConvolveImage(shape, source.data() + n * image, weights.data(),
                  sums.data() + n * channels * plane);
  }
  return sums;
}

}  // namespace inferd
