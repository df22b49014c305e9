#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "engine/engine.h"

namespace inferd {

// How clients are told which classes the columns of a score matrix stand for: under the key
// "class_names.OUTPUT", in the properties of the model's metadata and in the parameters of its
// config, as a JSON list of strings.
std::string ClassNamesKey(absl::string_view output);
std::string ClassNamesText(const std::vector<std::string>& names);

}  // namespace inferd
