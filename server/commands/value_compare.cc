#include "server/commands/value_compare.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/commands/value_text.h"

namespace inferd {
namespace {

absl::Status Different(absl::string_view expected, absl::string_view got) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", expected, ", got ", got));
}

// Which elements of two tensors differ.
struct Difference {
  int64_t count = 0;
  int64_t first = -1;
  double largest = 0;

  void Add(int64_t i, double amount) {
    if (count++ == 0) first = i;
    largest = std::isnan(amount) ? amount : std::max(largest, amount);
  }
};

bool Close(double got, double expected, const Tolerance& tolerance) {
  if (got == expected || (std::isnan(got) && std::isnan(expected))) return true;
  // An infinity is close to nothing else, whatever it makes of the right-hand side.
  if (std::isinf(got) || std::isinf(expected)) return false;
  return std::abs(got - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

template <typename T>
Difference CompareNumbers(const T* got, const T* expected, int64_t count,
                          const Tolerance& tolerance) {
  Difference difference;
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_integral_v<T>) {
      // Exact first: 64-bit integers do not fit a double.
      if (got[i] == expected[i]) continue;
    }
    const double a = static_cast<double>(got[i]);
    const double b = static_cast<double>(expected[i]);
    if (!Close(a, b, tolerance)) difference.Add(i, std::abs(a - b));
  }
  return difference;
}

// Formats without a C++ type: their bytes.
Difference CompareBytes(const Tensor& got, const Tensor& expected) {
  Difference difference;
  const int64_t width = ElementBytes(got.dtype());
  for (int64_t i = 0; i < got.num_elements(); ++i) {
    if (std::memcmp(static_cast<const char*>(got.raw()) + i * width,
                    static_cast<const char*>(expected.raw()) + i * width, width) != 0) {
      difference.Add(i, 0);
    }
  }
  return difference;
}

Difference CompareElements(const Tensor& got, const Tensor& expected, const Tolerance& tolerance) {
  const int64_t count = got.num_elements();
  if (got.dtype() == DType::kString) {
    Difference difference;
    for (int64_t i = 0; i < count; ++i) {
      if (got.data<std::string>()[i] != expected.data<std::string>()[i]) difference.Add(i, 0);
    }
    return difference;
  }
  if (got.dtype() == DType::kComplex64) {
    return CompareNumbers(got.data<float>(), expected.data<float>(), 2 * count, tolerance);
  }
  if (got.dtype() == DType::kComplex128) {
    return CompareNumbers(got.data<double>(), expected.data<double>(), 2 * count, tolerance);
  }
  Difference difference;
  const absl::Status status = DispatchNumeric(got.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    difference = CompareNumbers(got.data<T>(), expected.data<T>(), count, tolerance);
    return absl::OkStatus();
  });
  return status.ok() ? difference : CompareBytes(got, expected);
}

absl::Status CompareTensors(const Tensor& got, const Tensor& expected, const Tolerance& tolerance) {
  if (got.dtype() != expected.dtype() || got.shape() != expected.shape()) {
    return Different(expected.TypeString(), got.TypeString());
  }
  const Difference difference = CompareElements(got, expected, tolerance);
  if (difference.count == 0) return absl::OkStatus();
  const bool is_complex = got.dtype() == DType::kComplex64 || got.dtype() == DType::kComplex128;
  const int64_t first = is_complex ? difference.first / 2 : difference.first;
  return absl::InvalidArgumentError(
      absl::StrCat(difference.count, " of ", got.num_elements(), " elements of ", got.TypeString(),
                   " differ, by up to ", difference.largest, "; element ", first, ": expected ",
                   ElementText(expected, first), ", got ", ElementText(got, first)));
}

}  // namespace

absl::Status CompareValues(const Tensor& got, const Tensor& expected, const Tolerance& tolerance) {
  if (got.kind() != expected.kind()) return Different(ValueText(expected), ValueText(got));
  if (got.kind() == ValueKind::kTensor) return CompareTensors(got, expected, tolerance);
  if (got.elements().size() != expected.elements().size()) {
    return Different(ValueText(expected), ValueText(got));
  }
  for (size_t i = 0; i < got.elements().size(); ++i) {
    RETURN_IF_ERROR(Annotate(CompareValues(got.elements()[i], expected.elements()[i], tolerance),
                             absl::StrCat("part ", i)));
  }
  return absl::OkStatus();
}

}  // namespace inferd
