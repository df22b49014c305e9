#pragma once

#include <string>

#include "absl/status/status.h"
#include "config/model_options.h"

namespace inferd {

// Reads the label files that the config's outputs name into options->labels: one label a line, the
// first for class 0, from the model's folder. NOT_FOUND or INVALID_ARGUMENT for a file that cannot
// be read, is larger than 16 MiB or has more than a million lines.
absl::Status ReadLabels(const std::string& model_folder, ModelOptions* options);

}  // namespace inferd
