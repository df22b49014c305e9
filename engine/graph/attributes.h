#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/core/tensor.h"

namespace inferd {

// What an attribute may hold; graphs are kept in Node::subgraphs instead.
enum class AttributeKind : uint8_t {
  kInt,
  kFloat,
  kString,
  kInts,
  kFloats,
  kStrings,
  kTensor,
  kTensors,
  kGraph,
};

// The attributes of a node by name. Types were checked against the operator's definition on
// import, so the getters return `missing` only for an absent name. A value type.
class Attributes {
 public:
  using Value = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                             std::vector<std::string>, Tensor, std::vector<Tensor>>;

  bool Has(absl::string_view name) const { return Find(name) != nullptr; }
  void Set(absl::string_view name, Value value) { values_[std::string(name)] = std::move(value); }
  void Erase(absl::string_view name) { values_.erase(std::string(name)); }
  const Value* Find(absl::string_view name) const;

  int64_t Int(absl::string_view name, int64_t missing) const;
  float Float(absl::string_view name, float missing) const;
  std::string String(absl::string_view name, absl::string_view missing) const;
  // Empty when absent.
  const std::vector<int64_t>& Ints(absl::string_view name) const;
  const std::vector<float>& Floats(absl::string_view name) const;
  const std::vector<std::string>& Strings(absl::string_view name) const;
  // Null when absent.
  const Tensor* TensorOrNull(absl::string_view name) const;

  const std::map<std::string, Value, std::less<>>& values() const { return values_; }

 private:
  std::map<std::string, Value, std::less<>> values_;
};

AttributeKind KindOf(const Attributes::Value& value);
absl::string_view AttributeKindName(AttributeKind kind);

// "[1,2]", "0.5", "\"constant\"" : for text dumps.
std::string ToString(const Attributes::Value& value);

}  // namespace inferd
