#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace inferd {

// Arithmetic that is defined for every operand: integers wrap around, and dividing by zero gives
// zero as in numpy. Types other than integers compute as C++ does.

template <typename T>
T WrappingAdd(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  } else {
    return a + b;
  }
}

template <typename T>
T WrappingSubtract(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  } else {
    return a - b;
  }
}

template <typename T>
T WrappingMultiply(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  } else {
    return a * b;
  }
}

// True for the quotients C++ leaves undefined besides x / 0: the smallest integer by -1.
template <typename T>
bool IsMinusOne(T value) {
  return std::is_signed_v<T> && value == static_cast<T>(-1);
}

// Integers truncate towards zero.
template <typename T>
T Divide(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if (IsMinusOne(b)) return WrappingSubtract<T>(0, a);
    return static_cast<T>(a / b);
  } else {
    return a / b;
  }
}

// The remainder with the dividend's sign, as C's fmod.
template <typename T>
T TruncatedRemainder(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return b == 0 || IsMinusOne(b) ? T{0} : static_cast<T>(a % b);
  } else if constexpr (std::is_same_v<T, double>) {
    return std::fmod(a, b);
  } else {
    return std::fmod(static_cast<float>(a), static_cast<float>(b));
  }
}

// The remainder with the divisor's sign, as Python's %.
template <typename T>
T FlooredRemainder(T a, T b) {
  const T remainder = TruncatedRemainder(a, b);
  const bool opposite = remainder != T(0) && (remainder < T(0)) != (b < T(0));
  return opposite ? WrappingAdd(remainder, b) : remainder;
}

// `base` to a whole power; a negative power of an integer truncates 1 / base^n.
template <typename T>
T IntegerPower(T base, int64_t exponent) {
  static_assert(std::is_integral_v<T>);
  if (exponent < 0) {
    if (base == 1) return 1;
    if (IsMinusOne(base)) return exponent % 2 == 0 ? T{1} : base;
    return 0;
  }
  T result = 1;
  for (T factor = base; exponent > 0; exponent /= 2) {
    if (exponent % 2 != 0) result = WrappingMultiply(result, factor);
    factor = WrappingMultiply(factor, factor);
  }
  return result;
}

// `value` truncated towards zero and held within T; NaN gives 0.
template <typename T>
T SaturateToInteger(double value) {
  static_assert(std::is_integral_v<T>);
  constexpr double kLowest = static_cast<double>(std::numeric_limits<T>::lowest());
  constexpr double kHighest = static_cast<double>(std::numeric_limits<T>::max());
  if (std::isnan(value)) return 0;
  if (value <= kLowest) return std::numeric_limits<T>::lowest();
  if (value >= kHighest) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

template <typename T>
bool IsNanValue(T value) {
  if constexpr (std::is_integral_v<T>) {
    return false;
  } else {
    return value != value;
  }
}

// The larger or smaller operand; NaN wins, as in numpy.
template <typename T>
T Larger(T a, T b) {
  return IsNanValue(a) || a > b ? a : (IsNanValue(b) ? b : (b > a ? b : a));
}
template <typename T>
T Smaller(T a, T b) {
  return IsNanValue(a) || a < b ? a : (IsNanValue(b) ? b : (b < a ? b : a));
}

// An order in which NaN is equal to itself and above everything else, so that sorting is safe.
template <typename T>
bool OrderedLess(const T& a, const T& b) {
  if constexpr (std::is_class_v<T> && !std::is_convertible_v<T, float>) {
    return a < b;
  } else {
    if (IsNanValue(a)) return false;
    return IsNanValue(b) || a < b;
  }
}

}  // namespace inferd
