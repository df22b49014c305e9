#pragma once

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/ops/op_def.h"

namespace inferd {

// Every operator by (domain, name). Built once by OpRegistry::Builtin() from the list that CMake
// makes of the files in engine/ops/<domain>. Immutable.
class OpRegistry {
 public:
  // The built-in operators. The registry lives as long as the process.
  static const OpRegistry& Builtin();

  // Null when unknown. "ai.onnx" is the same domain as "".
  const OpDef* Find(absl::string_view domain, absl::string_view name) const;
  // Requires the operator to exist: for passes that create nodes.
  const OpDef& Get(absl::string_view domain, absl::string_view name) const;
  std::vector<const OpDef*> All() const;

 private:
  void Add(OpDef def);
  std::map<std::pair<std::string, std::string>, OpDef> ops_;
};

}  // namespace inferd
