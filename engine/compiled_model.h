#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "config/engine_config.h"
#include "engine/engine.h"

namespace inferd {

struct Compilation {
  std::unique_ptr<Model> model;
  std::string identity;  // of the file
};

// Compile() in the precision that `config` names, which this machine must compute in.
absl::StatusOr<Compilation> CompileIn(const std::string& path, const EngineConfig& config);

}  // namespace inferd
