#include "engine/ops/body_type.h"

#include "engine/core/status_macros.h"

namespace inferd {
namespace {

ValueType WithoutSymbols(ValueType type) {
  for (Dim& dim : type.shape.mutable_dims()) {
    if (!dim.known()) dim = Dim();
  }
  if (type.element != nullptr) {
    type.element = std::make_shared<ValueType>(WithoutSymbols(*type.element));
  }
  return type;
}

}  // namespace

absl::StatusOr<const Graph*> FindBody(const Node& node, absl::string_view name) {
  const auto it = node.subgraphs.find(std::string_view(name.data(), name.size()));
  if (it == node.subgraphs.end() || it->second == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is missing"));
  }
  return it->second.get();
}

ValueType BodyOutputType(const Graph& body, int i) {
  return WithoutSymbols(body.value(body.outputs()[i]).type);
}

ValueType WithoutShape(ValueType type) {
  type.shape = SymbolicShape::UnknownRank();
  if (type.element != nullptr) {
    type.element = std::make_shared<ValueType>(WithoutShape(*type.element));
  }
  return type;
}

absl::Status CheckInputsPresent(const Node& node, int first) {
  for (size_t i = first; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
  }
  return absl::OkStatus();
}

}  // namespace inferd
