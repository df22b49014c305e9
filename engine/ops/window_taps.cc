#include "engine/ops/window_taps.h"

#include <algorithm>

namespace inferd {
namespace {

int64_t CeilDiv(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

}  // namespace

TapWalk::TapWalk(const Window& window)
    : window_(window),
      taps_(window.rank(), 0),
      begins_(window.rank(), 0),
      counts_(window.rank(), 0),
      input_strides_(window.rank(), 1),
      output_strides_(window.rank(), 1) {
  for (int i = window.rank() - 2; i >= 0; --i) {
    input_strides_[i] = input_strides_[i + 1] * window.input[i + 1];
    output_strides_[i] = output_strides_[i + 1] * window.output[i + 1];
  }
}

// Moves dimension i from tap taps_[i] on to the first that meets the input.
bool TapWalk::SetDimension(int i) {
  const int64_t stride = window_.strides[i];
  const int64_t dilation = window_.dilations[i];
  const int64_t pad = window_.pads_begin[i];
  // Taps before this one lie in front of the input for every output position.
  const int64_t reach = pad - (window_.output[i] - 1) * stride;
  taps_[i] = std::max(taps_[i], CeilDiv(reach, dilation));
  for (; taps_[i] < window_.kernel[i]; ++taps_[i]) {
    const int64_t shift = taps_[i] * dilation - pad;  // input = output * stride + shift
    if (shift >= window_.input[i]) return false;
    const int64_t begin = std::max<int64_t>(CeilDiv(-shift, stride), 0);
    const int64_t end = std::min((window_.input[i] - 1 - shift) / stride + 1, window_.output[i]);
    if (begin >= end) continue;
    begins_[i] = begin;
    counts_[i] = end - begin;
    return true;
  }
  return false;
}

bool TapWalk::Advance() {
  if (!started_) {
    started_ = true;
    for (int i = 0; i < window_.rank(); ++i) {
      if (!SetDimension(i)) return false;
    }
    return true;
  }
  for (int i = window_.rank() - 1; i >= 0; --i) {
    ++taps_[i];
    if (SetDimension(i)) return true;
    taps_[i] = 0;
    SetDimension(i);
  }
  return false;
}

bool TapWalk::Next(Tap* tap) {
  if (!Advance()) return false;
  tap->index = 0;
  tap->input_offset = 0;
  tap->output_offset = 0;
  for (int i = 0; i < window_.rank(); ++i) {
    const int64_t start =
        begins_[i] * window_.strides[i] + taps_[i] * window_.dilations[i] - window_.pads_begin[i];
    tap->index = tap->index * window_.kernel[i] + taps_[i];
    tap->input_offset += start * input_strides_[i];
    tap->output_offset += begins_[i] * output_strides_[i];
  }
  tap->counts = counts_;
  return true;
}

}  // namespace inferd
