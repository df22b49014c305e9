#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "engine/ops/accumulator.h"

namespace inferd {

// Arithmetic in T: every result is rounded to T, though computed and held in its accumulator, as
// the standard's reference does for the 16-bit floats.
template <typename T, typename Value>
AccumulatorOf<T> Rounded(Value value) {
  return static_cast<AccumulatorOf<T>>(static_cast<T>(value));
}

// The sum of `count` numbers that T can hold. In bfloat16 every addition rounds; but a running sum
// of 8 bits stops growing at 256 times its terms, so only within groups of eight.
template <typename T>
double RowSum(const AccumulatorOf<T>* values, int64_t count) {
  constexpr int64_t kGroup = 8;
  double sum = 0;
  for (int64_t begin = 0; begin < count; begin += kGroup) {
    double group = 0;
    for (int64_t i = begin; i < std::min(begin + kGroup, count); ++i) {
      group += values[i];
      if constexpr (std::is_same_v<T, Bfloat16>) group = Rounded<T>(static_cast<float>(group));
    }
    sum += group;
  }
  return sum;
}

// exp(x) / sum(exp(x)) of a row, each step in T. `sink`, where given, is one more logit that takes
// its share and has no place in the row. NaN where all are -infinity.
template <typename T>
void SoftmaxRow(AccumulatorOf<T>* row, int64_t count, const AccumulatorOf<T>* sink = nullptr) {
  using Acc = AccumulatorOf<T>;
  if (count == 0) return;
  Acc maximum = *std::max_element(row, row + count);
  if (sink != nullptr) maximum = std::max(maximum, *sink);
  for (int64_t i = 0; i < count; ++i) row[i] = Rounded<T>(std::exp(Rounded<T>(row[i] - maximum)));
  double sum = RowSum<T>(row, count);
  if (sink != nullptr) sum += std::exp(*sink - maximum);
  const double divisor = static_cast<double>(Rounded<T>(static_cast<Acc>(sum)));
  for (int64_t i = 0; i < count; ++i) row[i] = Rounded<T>(static_cast<Acc>(row[i] / divisor));
}

}  // namespace inferd
