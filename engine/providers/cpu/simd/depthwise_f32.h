#pragma once

#include <cstdint>

namespace inferd::cpu {

// A depthwise convolution over channels-last floats: output channel c is input channel c filtered
// by a kernel x kernel window of its own, without dilation. A value type.
struct DepthwiseShape {
  int kernel = 3;  // 3, 5 or 7
  int stride = 1;  // 1 or 2, both ways
  int64_t batch = 1;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t out_height = 0;
  int64_t out_width = 0;
  int64_t pad_top = 0;
  int64_t pad_left = 0;
};

struct DepthwiseOperands {
  const float* x;
  const float* weights;  // [kernel * kernel, channels]
  const float* zeros;    // [channels] that stand for pixels of padding
  const float* bias;     // [channels] or null
  const float* add;      // of y's shape and layout, or null
  float low;
  float high;
  float* y;
  // Where not 0, x holds row i of an image only as row i % ring_rows.
  int64_t ring_rows = 0;
};

// y = min(max(convolution + bias + add, low), high) for one row of outputs; rows count through the
// images: row = image * out_height + y.
void DepthwiseRow(const DepthwiseShape& shape, const DepthwiseOperands& operands, int64_t row);

}  // namespace inferd::cpu
