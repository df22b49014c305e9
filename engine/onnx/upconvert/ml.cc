// Operators of ai.onnx.ml.
#include <numeric>
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

// Before 2 LabelEncoder mapped between strings and their numbers in one list; the input's type said
// which way.
absl::Status ConvertLabelEncoder(OnnxNode& node, ConversionContext& context) {
  const std::vector<std::string> classes = node.attributes.Strings("classes_strings");
  const DType dtype = node.has_input(0) ? context.type(node.inputs[0]).dtype : DType::kInvalid;
  if (dtype != DType::kString && dtype != DType::kInt64) {
    return absl::InvalidArgumentError(
        absl::StrCat("its input is ", DTypeName(dtype), "; expected string or int64"));
  }
  std::vector<int64_t> numbers(classes.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  node.attributes.Erase("classes_strings");
  if (dtype == DType::kString) {
    node.attributes.Set("keys_strings", classes);
    node.attributes.Set("values_int64s", numbers);
  } else {
    node.attributes.Set("keys_int64s", numbers);
    node.attributes.Set("values_strings", classes);
  }
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"ai.onnx.ml", "LabelEncoder", 2, ConvertLabelEncoder},
};

}  // namespace

absl::Span<const Conversion> MlConversions() { return kRows; }

}  // namespace inferd
