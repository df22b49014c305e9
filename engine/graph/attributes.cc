#include "engine/graph/attributes.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inferd {
namespace {

template <typename T>
const T* FindAs(const Attributes& attributes, absl::string_view name) {
  const Attributes::Value* value = attributes.Find(name);
  return value == nullptr ? nullptr : std::get_if<T>(value);
}

template <typename T>
const std::vector<T>& FindList(const Attributes& attributes, absl::string_view name,
                               const std::vector<T>& missing) {
  const auto* list = FindAs<std::vector<T>>(attributes, name);
  return list == nullptr ? missing : *list;
}

const std::vector<int64_t> kNoInts;
const std::vector<float> kNoFloats;
const std::vector<std::string> kNoStrings;

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", text, "\""); }

struct Printer {
  std::string operator()(int64_t v) const { return absl::StrCat(v); }
  std::string operator()(float v) const { return absl::StrCat(v); }
  std::string operator()(const std::string& v) const { return Quoted(v); }
  std::string operator()(const Tensor& v) const { return v.TypeString(); }
  template <typename T>
  std::string operator()(const std::vector<T>& list) const {
    return absl::StrCat(
        "[",
        absl::StrJoin(list, ",",
                      [this](std::string* out, const T& item) { out->append((*this)(item)); }),
        "]");
  }
};

}  // namespace

const Attributes::Value* Attributes::Find(absl::string_view name) const {
  auto it = values_.find(std::string_view(name.data(), name.size()));
  return it == values_.end() ? nullptr : &it->second;
}

int64_t Attributes::Int(absl::string_view name, int64_t missing) const {
  const auto* value = FindAs<int64_t>(*this, name);
  return value == nullptr ? missing : *value;
}

float Attributes::Float(absl::string_view name, float missing) const {
  const auto* value = FindAs<float>(*this, name);
  return value == nullptr ? missing : *value;
}

std::string Attributes::String(absl::string_view name, absl::string_view missing) const {
  const auto* value = FindAs<std::string>(*this, name);
  return value == nullptr ? std::string(missing) : *value;
}

const std::vector<int64_t>& Attributes::Ints(absl::string_view name) const {
  return FindList(*this, name, kNoInts);
}

const std::vector<float>& Attributes::Floats(absl::string_view name) const {
  return FindList(*this, name, kNoFloats);
}

const std::vector<std::string>& Attributes::Strings(absl::string_view name) const {
  return FindList(*this, name, kNoStrings);
}

const Tensor* Attributes::TensorOrNull(absl::string_view name) const {
  return FindAs<Tensor>(*this, name);
}

AttributeKind KindOf(const Attributes::Value& value) {
  return static_cast<AttributeKind>(value.index());
}

absl::string_view AttributeKindName(AttributeKind kind) {
  static constexpr absl::string_view kNames[] = {"int",     "float",  "string",  "ints", "floats",
                                                 "strings", "tensor", "tensors", "graph"};
  return kNames[static_cast<int>(kind)];
}

std::string ToString(const Attributes::Value& value) { return std::visit(Printer(), value); }

}  // namespace inferd
