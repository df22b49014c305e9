#pragma once

#include <memory>

#include "server/model/served_model.h"

namespace inferd {

// Keeps a model version alive while a request uses it; unloading waits for the last one to go.
using ModelHandle = std::shared_ptr<ServedModel>;

}  // namespace inferd
