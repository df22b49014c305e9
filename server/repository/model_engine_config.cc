#include "server/repository/model_engine_config.h"

#include <algorithm>
#include <string>
#include <vector>

namespace inferd {

EngineConfig EngineConfigOf(const EngineConfig& server, const ModelOptions& options) {
  EngineConfig engine = server;
  engine.precision = options.precision;
  engine.max_precision_error = options.max_precision_error;
  engine.device_ordinals = options.device_ordinals;
  engine.needs_device = options.on_devices;
  engine.executions_per_device = options.executions_per_device;
  if (!options.on_host) return engine;
  std::vector<std::string>& names = engine.providers;
  names.erase(
      std::remove_if(names.begin(), names.end(),
                     [](const std::string& name) { return name != "cpu" && name != "portable"; }),
      names.end());
  if (names.empty()) names.push_back("cpu");
  return engine;
}

}  // namespace inferd
