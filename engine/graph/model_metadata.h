#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/value_type.h"

namespace inferd {

// One input or output of a model. Symbolic dimensions have names; unknown ones are "?".
struct TensorInfo {
  std::string name;
  ValueType type;
  // One entry a dimension: its size as text, its symbol's name, or "?".
  std::vector<std::string> dim_names;
  // What the columns of a score matrix stand for, where that took the place of maps from class to
  // score; else empty.
  std::vector<std::string> class_names;
};

// What a model file says about itself. A value type.
struct ModelMetadata {
  std::string graph_name;
  std::string producer;
  std::string description;
  int64_t ir_version = 0;
  std::vector<std::pair<std::string, int64_t>> opsets;  // domain, version
  std::map<std::string, std::string> properties;        // metadata_props
};

}  // namespace inferd
