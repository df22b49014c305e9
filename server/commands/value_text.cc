#include "server/commands/value_text.h"

#include <algorithm>
#include <complex>
#include <cstdio>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

constexpr int64_t kShownElements = 8;
constexpr size_t kShownParts = 4;

std::string NumberText(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

std::string ListText(absl::string_view name, const std::vector<Tensor>& parts) {
  std::string text = absl::StrCat(name, " of ", parts.size());
  for (size_t i = 0; i < std::min(parts.size(), kShownParts); ++i) {
    absl::StrAppend(&text, i == 0 ? ": " : "; ", ValueText(parts[i]));
  }
  return parts.size() > kShownParts ? text + "; ..." : text;
}

}  // namespace

std::string ElementText(const Tensor& tensor, int64_t i) {
  if (tensor.dtype() == DType::kString) {
    return absl::StrCat("\"", absl::Utf8SafeCEscape(tensor.data<std::string>()[i].substr(0, 80)),
                        "\"");
  }
  if (tensor.dtype() == DType::kBool) return tensor.data<bool>()[i] ? "true" : "false";
  if (tensor.dtype() == DType::kComplex64) {
    const std::complex<float> value = tensor.data<std::complex<float>>()[i];
    return absl::StrCat(NumberText(value.real()), "+", NumberText(value.imag()), "i");
  }
  std::string text;
  const absl::Status status = DispatchNumeric(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      text = absl::StrCat(tensor.data<T>()[i]);
    } else {
      text = NumberText(static_cast<double>(tensor.data<T>()[i]));
    }
    return absl::OkStatus();
  });
  if (status.ok()) return text;
  // Formats without a C++ type: their bits.
  return absl::StrCat(
      "0x", absl::Hex(static_cast<const uint8_t*>(tensor.raw())[i * ElementBytes(tensor.dtype())],
                      absl::kZeroPad2));
}

std::string ValueText(const Tensor& value) {
  switch (value.kind()) {
    case ValueKind::kSequence:
      return ListText("sequence", value.elements());
    case ValueKind::kOptional:
      return value.elements().empty() ? "empty optional"
                                      : absl::StrCat("optional ", ValueText(value.elements()[0]));
    case ValueKind::kMap:
      return absl::StrCat("map ", ValueText(value.elements()[0]), " -> ",
                          ValueText(value.elements()[1]));
    case ValueKind::kTensor:
      break;
  }
  std::string text = value.TypeString();
  for (int64_t i = 0; i < std::min(value.num_elements(), kShownElements); ++i) {
    absl::StrAppend(&text, " ", ElementText(value, i));
  }
  return value.num_elements() > kShownElements ? text + " ..." : text;
}

}  // namespace inferd
