#include "engine/onnx/constant_node.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"

namespace inferd {
namespace {

struct ToTensor {
  absl::StatusOr<Tensor> operator()(Tensor value) const { return value; }
  absl::StatusOr<Tensor> operator()(const std::vector<Tensor>&) const {
    return absl::InvalidArgumentError("a Constant cannot be a list of tensors");
  }
  template <typename T>
  absl::StatusOr<Tensor> operator()(const std::vector<T>& values) const {
    return Tensor::FromValues<T>(Shape{static_cast<int64_t>(values.size())},
                                 absl::Span<const T>(values));
  }
  template <typename T>
  absl::StatusOr<Tensor> operator()(const T& value) const {
    return Tensor::Scalar<T>(value);
  }
};

// The attribute names and the kinds they must have.
constexpr std::pair<absl::string_view, AttributeKind> kForms[] = {
    {"value", AttributeKind::kTensor},        {"sparse_value", AttributeKind::kTensor},
    {"value_float", AttributeKind::kFloat},   {"value_floats", AttributeKind::kFloats},
    {"value_int", AttributeKind::kInt},       {"value_ints", AttributeKind::kInts},
    {"value_string", AttributeKind::kString}, {"value_strings", AttributeKind::kStrings},
};

absl::Status CheckForm(absl::string_view name, AttributeKind kind) {
  for (const auto& [known, expected] : kForms) {
    if (known != name) continue;
    if (expected == kind) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is of type ",
                                                   AttributeKindName(kind), "; expected ",
                                                   AttributeKindName(expected)));
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown attribute ", NameText(name)));
}

}  // namespace

absl::StatusOr<Tensor> ReadConstantNode(const ::onnx::NodeProto& proto,
                                        const AttributeScope* attributes, TensorReader& tensors) {
  if (proto.attribute_size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a Constant has exactly one attribute with its value; got ", proto.attribute_size()));
  }
  const std::string& name = proto.attribute(0).name();
  ASSIGN_OR_RETURN(const ::onnx::AttributeProto* attribute,
                   ResolveAttribute(proto.attribute(0), attributes));
  if (attribute == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute ", NameText(name), " has no value in this call"));
  }
  ASSIGN_OR_RETURN(Attributes::Value value, ReadAttribute(*attribute, tensors));
  RETURN_IF_ERROR(CheckForm(name, KindOf(value)));
  return std::visit(ToTensor(), std::move(value));
}

}  // namespace inferd
