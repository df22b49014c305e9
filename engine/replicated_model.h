#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"

namespace inferd {

// One model on several devices, compiled for each: an execution goes to the device where it will be
// done first, at most `executions_per_device` (0: any number) running on each at once. While a
// device is lost, the others run what was its share. At least one replica, all of one model file.
std::unique_ptr<Model> ReplicateModel(std::vector<std::unique_ptr<Model>> replicas,
                                      int executions_per_device);

}  // namespace inferd
