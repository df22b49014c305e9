#pragma once

#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/onnx/onnx_node.h"

namespace inferd {

// The attribute as a T, taken off the node; `missing` when it has none. INVALID_ARGUMENT when it
// is of another type: nobody has checked the attributes of older forms.
template <typename T>
absl::StatusOr<T> Take(OnnxNode& node, absl::string_view name, T missing) {
  const Attributes::Value* value = node.attributes.Find(name);
  if (value == nullptr) return missing;
  const T* typed = std::get_if<T>(value);
  if (typed == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is of type ",
                                                   AttributeKindName(KindOf(*value)), "; expected ",
                                                   AttributeKindName(KindOf(missing))));
  }
  T result = *typed;
  node.attributes.Erase(name);
  return result;
}

template <typename T>
absl::StatusOr<T> TakeRequired(OnnxNode& node, absl::string_view name) {
  if (!node.attributes.Has(name)) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is missing"));
  }
  return Take<T>(node, name, T());
}

}  // namespace inferd
