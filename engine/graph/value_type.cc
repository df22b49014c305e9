#include "engine/graph/value_type.h"

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

ValueType Container(ValueKind kind, ValueType element) {
  ValueType type;
  type.kind = kind;
  type.element = std::make_shared<const ValueType>(std::move(element));
  return type;
}

}  // namespace

ValueType ValueType::OfSequence(ValueType element) {
  return Container(ValueKind::kSequence, std::move(element));
}

ValueType ValueType::OfOptional(ValueType element) {
  return Container(ValueKind::kOptional, std::move(element));
}

ValueType ValueType::OfMap(DType key, ValueType value) {
  ValueType type = Container(ValueKind::kMap, std::move(value));
  type.key_dtype = key;
  return type;
}

std::string ValueType::ToString() const {
  const std::string inner = element ? element->ToString() : "?";
  switch (kind) {
    case ValueKind::kTensor:
      return absl::StrCat(DTypeName(dtype), shape.ToString());
    case ValueKind::kSequence:
      return absl::StrCat("sequence(", inner, ")");
    case ValueKind::kOptional:
      return absl::StrCat("optional(", inner, ")");
    case ValueKind::kMap:
      return absl::StrCat("map(", DTypeName(key_dtype), ",", inner, ")");
  }
  return "";
}

}  // namespace inferd
