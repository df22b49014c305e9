#pragma once

#include <string>

#include "dnnl.hpp"
#include "engine/core/shape.h"
#include "engine/ops/window.h"

namespace inferd::cpu {

// The sliding window of a convolution or pool as oneDNN takes it. One spatial dimension is lifted
// to two, the first of size 1, for which oneDNN has more kernels. A value type.
struct DnnlWindow {
  dnnl::memory::dims kernel;
  dnnl::memory::dims strides;
  dnnl::memory::dims gaps;  // between kernel elements: dilation - 1
  dnnl::memory::dims pads_begin;
  dnnl::memory::dims pads_end;

  // `window` must be resolved over known sizes.
  static DnnlWindow Of(const Window& window);
  // The same for a transposed convolution, where oneDNN's end pads are what remains of the output:
  // negative when output_padding exceeds the pads.
  static DnnlWindow OfTransposed(const Window& window);

  // Sees each input element once, alone.
  bool IsPointwise() const;
  // Equal for equal windows; part of primitive keys.
  std::string Key() const;

 private:
  void Lift();
};

// The dims of an activation or of ungrouped weights, lifted likewise: rank 3 becomes rank 4.
dnnl::memory::dims LiftedDims(const Shape& shape);

}  // namespace inferd::cpu
