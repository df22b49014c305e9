#include "server/rpc/classification.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

template <typename T>
bool IsNan(T value) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
  return false;
}

// 16-bit floats are compared and written as floats.
template <typename T>
auto Widened(T value) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
    return static_cast<float>(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return static_cast<int>(value);
  } else {
    return value;
  }
}

template <typename T>
std::string Entry(T value, int64_t index, absl::Span<const std::string> labels) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  const absl::string_view number(text, static_cast<size_t>(end - text));
  if (index >= static_cast<int64_t>(labels.size())) return absl::StrCat(number, ":", index);
  return absl::StrCat(number, ":", index, ":", labels[index]);
}

template <typename T>
void ClassifyRow(const T* scores, absl::Span<const std::string> labels,
                 std::vector<int64_t>* indices, absl::Span<std::string> entries) {
  std::iota(indices->begin(), indices->end(), 0);
  const auto precedes = [scores](int64_t a, int64_t b) {
    const auto x = Widened(scores[a]);
    const auto y = Widened(scores[b]);
    if (IsNan(x) != IsNan(y)) return IsNan(y);
    if (x > y || x < y) return x > y;
    return a < b;
  };
  std::partial_sort(indices->begin(), indices->begin() + entries.size(), indices->end(), precedes);
  for (size_t i = 0; i < entries.size(); ++i) {
    const int64_t index = (*indices)[i];
    entries[i] = Entry(Widened(scores[index]), index, labels);
  }
}

template <typename T>
absl::StatusOr<Tensor> ClassifyAs(const Tensor& scores, int64_t count, bool has_rows,
                                  absl::Span<const std::string> labels) {
  const bool by_row = has_rows && scores.rank() > 0;
  const int64_t rows = by_row ? scores.dim(0) : 1;
  const int64_t classes = rows == 0 ? 0 : scores.num_elements() / rows;
  const int64_t kept = std::min(count, classes);
  const Shape shape = by_row ? Shape({rows, kept}) : Shape({kept});
  ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(DType::kString, shape));
  if (kept == 0) return result;
  std::vector<int64_t> indices(classes);
  for (int64_t row = 0; row < rows; ++row) {
    ClassifyRow(scores.data<T>() + row * classes, labels, &indices,
                absl::MakeSpan(result.mutable_data<std::string>() + row * kept, kept));
  }
  return result;
}

}  // namespace

bool IsClassifiable(DType dtype) {
  return dtype == DType::kBool || IsInteger(dtype) || IsFloatingPoint(dtype);
}

absl::StatusOr<Tensor> Classify(const Tensor& scores, int64_t count, bool has_rows,
                                absl::Span<const std::string> labels) {
  const auto as = [&](auto type) {
    return ClassifyAs<decltype(type)>(scores, count, has_rows, labels);
  };
  switch (scores.dtype()) {
    case DType::kBool:
      return as(bool());
    case DType::kUint8:
      return as(uint8_t());
    case DType::kUint16:
      return as(uint16_t());
    case DType::kUint32:
      return as(uint32_t());
    case DType::kUint64:
      return as(uint64_t());
    case DType::kInt8:
      return as(int8_t());
    case DType::kInt16:
      return as(int16_t());
    case DType::kInt32:
      return as(int32_t());
    case DType::kInt64:
      return as(int64_t());
    case DType::kFloat16:
      return as(Float16());
    case DType::kBfloat16:
      return as(Bfloat16());
    case DType::kFloat32:
      return as(float());
    case DType::kFloat64:
      return as(double());
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("classification: expected numbers, got ", scores.TypeString()));
  }
}

}  // namespace inferd
