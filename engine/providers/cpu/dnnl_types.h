#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "dnnl.hpp"
#include "engine/core/dtype.h"
#include "engine/core/shape.h"
#include "engine/core/status_macros.h"
#include "engine/core/tensor.h"

// The bridge between our types and oneDNN's, and the boundary at which its exceptions end.
namespace inferd::cpu {

// The one CPU engine of oneDNN; it has no state. Thread-safe.
const dnnl::engine& DnnlEngine();

// oneDNN's element type; undef for those it has not.
dnnl::memory::data_type DnnlDataType(DType dtype);

// A dense memory of `dims` in row-major or channels-last order, rank 1 to 6 (channels-last: 3 to
// 5).
dnnl::memory::desc DenseDesc(const dnnl::memory::dims& dims, dnnl::memory::data_type type,
                             Layout layout = Layout::kRowMajor);
// A matrix stored transposed: `dims` are its logical dimensions [rows, columns].
dnnl::memory::desc TransposedDesc(const dnnl::memory::dims& dims, dnnl::memory::data_type type);

dnnl::memory::dims ToDims(const Shape& shape);

// True when both orders put the elements of `shape` at the same places.
bool SameOrder(const Shape& shape, Layout a, Layout b);

// A text that is equal for equal descriptions: element type, dims, strides, blocks, extras.
std::string DescKey(const dnnl::memory::desc& desc);

absl::Status DnnlError(const dnnl::error& error, absl::string_view what);

// Runs `fn`, which returns a Status or StatusOr, and turns a dnnl::error into INTERNAL
// ("what: oneDNN's message").
template <typename Fn>
auto CatchDnnl(absl::string_view what, Fn&& fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const dnnl::error& error) {
    return DnnlError(error, what);
  }
}

}  // namespace inferd::cpu
