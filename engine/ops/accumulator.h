#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "engine/core/dtype.h"

namespace inferd {

// The type that sums and products of T are computed in: float for the 16-bit floats, and unsigned
// integers for the integers, whose overflow wraps as two's complement does.
template <typename T>
struct AccumulatorFor {
  using type = std::conditional_t<
      std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>, float,
      std::conditional_t<std::is_floating_point_v<T>, T,
                         std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>>>;
};
template <typename T>
using AccumulatorOf = typename AccumulatorFor<T>::type;

// `count` elements as accumulators: the elements themselves where they have that type already,
// else a converted copy. Used by one thread at a time; `values` must outlive it.
template <typename Acc>
class Accumulators {
 public:
  template <typename T>
  Accumulators(const T* values, int64_t count) {
    if constexpr (std::is_same_v<T, Acc>) {
      data_ = values;
    } else {
      copy_.reserve(count);
      for (int64_t i = 0; i < count; ++i) copy_.push_back(static_cast<Acc>(values[i]));
      data_ = copy_.data();
    }
  }
  const Acc* data() const { return data_; }

 private:
  std::vector<Acc> copy_;
  const Acc* data_;
};

}  // namespace inferd
