#pragma once

#include "config/engine_config.h"
#include "config/model_options.h"

namespace inferd {

// What the engine is told of a model: the server's config, and what the model's own options say of
// its precision and of where it runs.
EngineConfig EngineConfigOf(const EngineConfig& server, const ModelOptions& options);

}  // namespace inferd
