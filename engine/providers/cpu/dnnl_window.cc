#include "engine/providers/cpu/dnnl_window.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/providers/cpu/node_checks.h"

namespace inferd::cpu {
namespace {

using dims = dnnl::memory::dims;

dims ToVector(const Shape::Dims& values) { return dims(values.begin(), values.end()); }

DnnlWindow WithoutEndPads(const Window& window) {
  DnnlWindow result;
  result.kernel = ToVector(window.kernel);
  result.strides = ToVector(window.strides);
  result.gaps = ToVector(window.dilations);
  for (int64_t& gap : result.gaps) --gap;
  result.pads_begin = ToVector(window.pads_begin);
  return result;
}

int64_t Extent(const Window& window, int i) {
  return (window.kernel[i] - 1) * window.dilations[i] + 1;
}

}  // namespace

DnnlWindow DnnlWindow::Of(const Window& window) {
  DnnlWindow result = WithoutEndPads(window);
  for (int i = 0; i < window.rank(); ++i) {
    // With ceil_mode the last window may reach past the padding, which oneDNN wants as padding.
    const int64_t reach = (window.output[i] - 1) * window.strides[i] + Extent(window, i);
    const int64_t needed = reach - window.input[i] - window.pads_begin[i];
    result.pads_end.push_back(std::max(window.pads_end[i], needed));
  }
  result.Lift();
  return result;
}

DnnlWindow DnnlWindow::OfTransposed(const Window& window) {
  DnnlWindow result = WithoutEndPads(window);
  for (int i = 0; i < window.rank(); ++i) {
    const int64_t reach = (window.input[i] - 1) * window.strides[i] + Extent(window, i);
    result.pads_end.push_back(reach - window.pads_begin[i] - window.output[i]);
  }
  result.Lift();
  return result;
}

void DnnlWindow::Lift() {
  if (kernel.size() != 1) return;
  kernel.insert(kernel.begin(), 1);
  strides.insert(strides.begin(), 1);
  gaps.insert(gaps.begin(), 0);
  pads_begin.insert(pads_begin.begin(), 0);
  pads_end.insert(pads_end.begin(), 0);
}

bool DnnlWindow::IsPointwise() const {
  const auto all = [](const dims& values, int64_t wanted) {
    return std::all_of(values.begin(), values.end(), [=](int64_t v) { return v == wanted; });
  };
  return all(kernel, 1) && all(strides, 1) && all(pads_begin, 0) && all(pads_end, 0);
}

std::string DnnlWindow::Key() const {
  return absl::StrCat(" k", DimsText(kernel), " s", DimsText(strides), " g", DimsText(gaps), " p",
                      DimsText(pads_begin), ",", DimsText(pads_end));
}

dims LiftedDims(const Shape& shape) {
  dims lifted(shape.dims().begin(), shape.dims().end());
  if (lifted.size() == 3) lifted.insert(lifted.begin() + 2, 1);
  return lifted;
}

}  // namespace inferd::cpu
