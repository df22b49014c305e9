#include "tests/support/cuda_emulation/cudnn_operations.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/core/float16.h"

namespace inferd::cuda_emulation {
namespace {

using Coordinates = std::vector<int64_t>;

// Where an element of a larger tensor is in this one, whose smaller dimensions are repeated.
int64_t OffsetOf(const CudnnTensor& tensor, const Coordinates& at, const Coordinates& dims) {
  int64_t offset = 0;
  for (size_t d = 0; d < at.size(); ++d) {
    const int64_t repeats = std::max<int64_t>(dims[d] / tensor.dims[d], 1);
    offset += at[d] / repeats * tensor.strides[d];
  }
  return offset;
}

double Load(const CudnnTensor& tensor, int64_t i) {
  switch (tensor.type) {
    case CUDNN_DATA_HALF:
      return static_cast<float>(static_cast<const Float16*>(tensor.data)[i]);
    case CUDNN_DATA_BFLOAT16:
      return static_cast<float>(static_cast<const Bfloat16*>(tensor.data)[i]);
    case CUDNN_DATA_INT32:
      return static_cast<const int32_t*>(tensor.data)[i];
    case CUDNN_DATA_BOOLEAN:
      return static_cast<const uint8_t*>(tensor.data)[i] != 0;
    default:
      return static_cast<const float*>(tensor.data)[i];
  }
}

void Store(const CudnnTensor& tensor, int64_t i, double value) {
  const auto rounded = static_cast<float>(value);
  switch (tensor.type) {
    case CUDNN_DATA_HALF:
      static_cast<Float16*>(tensor.data)[i] = Float16(rounded);
      return;
    case CUDNN_DATA_BFLOAT16:
      static_cast<Bfloat16*>(tensor.data)[i] = Bfloat16(rounded);
      return;
    case CUDNN_DATA_INT32:
      static_cast<int32_t*>(tensor.data)[i] = static_cast<int32_t>(value);
      return;
    case CUDNN_DATA_BOOLEAN:
      static_cast<uint8_t*>(tensor.data)[i] = value != 0;
      return;
    default:
      static_cast<float*>(tensor.data)[i] = rounded;
  }
}

void ForEach(const std::vector<int64_t>& dims,
             const std::function<void(const Coordinates& at)>& visit) {
  Coordinates at(dims.size(), 0);
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return;
  while (true) {
    visit(at);
    size_t d = dims.size();
    while (d > 0 && ++at[d - 1] == dims[d - 1]) at[--d] = 0;
    if (d == 0) return;
  }
}

}  // namespace

int64_t BytesOf(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_HALF:
    case CUDNN_DATA_BFLOAT16:
      return 2;
    case CUDNN_DATA_BOOLEAN:
      return 1;
    default:
      return 4;
  }
}

void Convolve(const CudnnTensor& x, const CudnnTensor& w, const CudnnTensor& y,
              const std::vector<int64_t>& pads, const std::vector<int64_t>& strides,
              const std::vector<int64_t>& dilations) {
  const int64_t channels = w.dims[1];
  const int64_t per_group = w.dims[0] / (x.dims[1] / channels);
  const std::vector<int64_t> taps(w.dims.begin() + 2, w.dims.end());
  ForEach(y.dims, [&](const Coordinates& at) {
    double sum = 0;
    ForEach(taps, [&](const Coordinates& tap) {
      int64_t from = at[0] * x.strides[0] + at[1] / per_group * channels * x.strides[1];
      int64_t weight = at[1] * w.strides[0];
      for (size_t d = 0; d < tap.size(); ++d) {
        const int64_t i = at[d + 2] * strides[d] - pads[d] + tap[d] * dilations[d];
        if (i < 0 || i >= x.dims[d + 2]) return;
        from += i * x.strides[d + 2];
        weight += tap[d] * w.strides[d + 2];
      }
      for (int64_t c = 0; c < channels; ++c) {
        sum += Load(x, from + c * x.strides[1]) * Load(w, weight + c * w.strides[1]);
      }
    });
    Store(y, OffsetOf(y, at, y.dims), sum);
  });
}

void Multiply(const CudnnTensor& a, const CudnnTensor& b, const CudnnTensor& c) {
  const size_t row = c.dims.size() - 2;
  const size_t column = row + 1;
  ForEach(c.dims, [&](const Coordinates& at) {
    Coordinates first = at;
    Coordinates second = at;
    first[column] = second[row] = 0;
    Coordinates a_dims = c.dims;
    Coordinates b_dims = c.dims;
    a_dims[column] = a.dims[column];
    b_dims[row] = b.dims[row];
    const int64_t a_from = OffsetOf(a, first, a_dims);
    const int64_t b_from = OffsetOf(b, second, b_dims);
    double sum = 0;
    for (int64_t k = 0; k < a.dims[column]; ++k) {
      sum += Load(a, a_from + k * a.strides[column]) * Load(b, b_from + k * b.strides[row]);
    }
    Store(c, OffsetOf(c, at, c.dims), sum);
  });
}

bool Pointwise(cudnnPointwiseMode_t mode, int64_t axis, const CudnnTensor& x, const CudnnTensor* b,
               const CudnnTensor* t, const CudnnTensor& y) {
  bool known = true;
  ForEach(y.dims, [&](const Coordinates& at) {
    const double first = mode == CUDNN_POINTWISE_GEN_INDEX ? 0 : Load(x, OffsetOf(x, at, y.dims));
    const double second = b == nullptr ? 0 : Load(*b, OffsetOf(*b, at, y.dims));
    double value = 0;
    switch (mode) {
      case CUDNN_POINTWISE_ADD:
        value = first + second;
        break;
      case CUDNN_POINTWISE_SUB:
        value = first - second;
        break;
      case CUDNN_POINTWISE_MUL:
        value = first * second;
        break;
      case CUDNN_POINTWISE_DIV:
        value = first / second;
        break;
      case CUDNN_POINTWISE_EXP:
        value = std::exp(first);
        break;
      case CUDNN_POINTWISE_RELU_FWD:
        value = std::max(first, 0.0);
        break;
      case CUDNN_POINTWISE_GEN_INDEX:
        value = static_cast<double>(at[axis]);
        break;
      case CUDNN_POINTWISE_CMP_GE:
        value = first >= second;
        break;
      case CUDNN_POINTWISE_BINARY_SELECT:
        value = Load(*t, OffsetOf(*t, at, y.dims)) != 0 ? first : second;
        break;
      default:
        known = false;
    }
    Store(y, OffsetOf(y, at, y.dims), value);
  });
  return known;
}

void Reduce(cudnnReduceTensorOp_t op, const CudnnTensor& x, const CudnnTensor& y) {
  std::vector<int64_t> over(x.dims.size());
  for (size_t d = 0; d < over.size(); ++d) over[d] = y.dims[d] == 1 ? x.dims[d] : 1;
  const bool greatest = op == CUDNN_REDUCE_TENSOR_MAX;
  ForEach(y.dims, [&](const Coordinates& at) {
    double result = greatest ? -std::numeric_limits<double>::infinity() : 0;
    ForEach(over, [&](const Coordinates& step) {
      int64_t i = 0;
      for (size_t d = 0; d < step.size(); ++d) i += (at[d] + step[d]) * x.strides[d];
      result = greatest ? std::max(result, Load(x, i)) : result + Load(x, i);
    });
    Store(y, OffsetOf(y, at, y.dims), result);
  });
}

}  // namespace inferd::cuda_emulation
