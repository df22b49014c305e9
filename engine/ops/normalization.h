#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// Every element of a numeric or bool tensor as double; INVALID_ARGUMENT for other types.
absl::StatusOr<std::vector<double>> ToDoubles(const Tensor& tensor);

// Mean and variance (over count, not count - 1) of some elements.
struct Moments {
  double mean = 0;
  double variance = 0;
};
template <typename T>
Moments MomentsOf(const T* values, int64_t count) {
  Moments moments;
  for (int64_t i = 0; i < count; ++i) moments.mean += static_cast<double>(values[i]);
  moments.mean /= static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i) {
    const double distance = static_cast<double>(values[i]) - moments.mean;
    moments.variance += distance * distance;
  }
  moments.variance /= static_cast<double>(count);
  return moments;
}

// A scale or bias repeated over rows: element i of the input takes values[i % values.size()].
// `parameter` must broadcast to the dimensions of `x` from `axis` on, or to all of `x`.
absl::StatusOr<std::vector<double>> RepeatedParameter(absl::string_view name,
                                                      const Tensor& parameter, const Shape& x,
                                                      int axis);

// INVALID_ARGUMENT unless the parameter may broadcast to `x`.
absl::Status CheckParameter(absl::string_view name, const SymbolicShape& parameter,
                            const SymbolicShape& x);

// INVALID_ARGUMENT unless inputs [begin, end) may be vectors of `x`'s channels (dimension 1).
absl::Status CheckChannelParameters(const InferContext& context, int begin, int end);
absl::Status CheckChannelParameters(const KernelContext& context, int begin, int end);

}  // namespace inferd
