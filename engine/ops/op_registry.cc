#include "engine/ops/op_registry.h"

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/str_cat.h"
#include "engine/ops/op_list.h"

namespace inferd {
namespace {

std::pair<std::string, std::string> KeyOf(absl::string_view domain, absl::string_view name) {
  return {domain == "ai.onnx" ? std::string() : std::string(domain), std::string(name)};
}

}  // namespace

const OpRegistry& OpRegistry::Builtin() {
  // Built on first use and never destroyed: operators are needed until the last thread ends.
  static const OpRegistry* const registry = [] {
    auto* built = new OpRegistry();
    for (OpDefinition definition : BuiltinOps()) {
      ABSL_RAW_CHECK(built->Add(definition()).ok(), "an operator is defined twice");
    }
    return built;
  }();
  return *registry;
}

absl::Status OpRegistry::Add(OpDef def) {
  if (Find(def.domain, def.name) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat("operator '", def.name, "' of domain '", def.domain, "' exists already"));
  }
  auto key = KeyOf(def.domain, def.name);
  ops_.emplace(std::move(key), std::move(def));
  return absl::OkStatus();
}

const OpDef* OpRegistry::Find(absl::string_view domain, absl::string_view name) const {
  auto it = ops_.find(KeyOf(domain, name));
  if (it != ops_.end()) return &it->second;
  return base_ == nullptr ? nullptr : base_->Find(domain, name);
}

const OpDef& OpRegistry::Get(absl::string_view domain, absl::string_view name) const {
  const OpDef* def = Find(domain, name);
  ABSL_RAW_CHECK(def != nullptr, "operator is not registered");
  return *def;
}

std::vector<const OpDef*> OpRegistry::All() const {
  std::vector<const OpDef*> all;
  if (base_ != nullptr) all = base_->All();
  for (const auto& [key, def] : ops_) all.push_back(&def);
  return all;
}

}  // namespace inferd
