#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/ops/op_def.h"

namespace inferd {

// Operators by (domain, name): the built-in ones, from the list that CMake makes of the files in
// engine/ops/<domain>, or these and others. Filled by one thread, then immutable.
class OpRegistry {
 public:
  // `base`, which must outlive this registry, is asked for what is not found here; may be null.
  explicit OpRegistry(const OpRegistry* base = nullptr) : base_(base) {}

  // The built-in operators. The registry lives as long as the process.
  static const OpRegistry& Builtin();

  // ALREADY_EXISTS naming the operator when there is one of its domain and name.
  absl::Status Add(OpDef def);

  // Null when unknown. "ai.onnx" is the same domain as "".
  const OpDef* Find(absl::string_view domain, absl::string_view name) const;
  // Requires the operator to exist: for passes that create nodes.
  const OpDef& Get(absl::string_view domain, absl::string_view name) const;
  // Those of the base first.
  std::vector<const OpDef*> All() const;

 private:
  const OpRegistry* base_;
  std::map<std::pair<std::string, std::string>, OpDef> ops_;
};

}  // namespace inferd
