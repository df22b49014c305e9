#include "engine/ops/op_registry.h"

#include "absl/base/internal/raw_logging.h"
#include "engine/ops/op_list.h"

namespace inferd {

const OpRegistry& OpRegistry::Builtin() {
  // Built on first use and never destroyed: operators are needed until the last thread ends.
  static const OpRegistry* const registry = [] {
    auto* built = new OpRegistry();
    for (OpDefinition definition : BuiltinOps()) built->Add(definition());
    return built;
  }();
  return *registry;
}

void OpRegistry::Add(OpDef def) {
  auto key = std::make_pair(std::string(def.domain), std::string(def.name));
  ops_.emplace(std::move(key), std::move(def));
}

const OpDef* OpRegistry::Find(absl::string_view domain, absl::string_view name) const {
  if (domain == "ai.onnx") domain = "";
  auto it = ops_.find(std::make_pair(std::string(domain), std::string(name)));
  return it == ops_.end() ? nullptr : &it->second;
}

const OpDef& OpRegistry::Get(absl::string_view domain, absl::string_view name) const {
  const OpDef* def = Find(domain, name);
  ABSL_RAW_CHECK(def != nullptr, "operator is not registered");
  return *def;
}

std::vector<const OpDef*> OpRegistry::All() const {
  std::vector<const OpDef*> all;
  for (const auto& [key, def] : ops_) all.push_back(&def);
  return all;
}

}  // namespace inferd
