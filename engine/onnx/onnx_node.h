#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace inferd {

// A node on its way from the model into the graph: inputs and outputs are the graph's values
// already, operator and attributes are those of opset `version`, and not checked yet.
// A value type.
struct OnnxNode {
  std::string name;
  std::string domain;  // "" is ai.onnx
  std::string op_type;
  int64_t version = 0;  // of the domain's opset; 0: the canonical form
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attributes attributes;
  std::map<std::string, std::shared_ptr<const Graph>, std::less<>> subgraphs;
  std::vector<ValueId> captured;  // what the subgraphs' last inputs stand for

  bool has_input(size_t i) const { return i < inputs.size() && inputs[i] != kNoValue; }
  bool wants_output(size_t i) const { return i < outputs.size() && outputs[i] != kNoValue; }
  // Makes input i `value`, with absent ones before it where there were none.
  void SetInput(size_t i, ValueId value) {
    if (inputs.size() <= i) inputs.resize(i + 1, kNoValue);
    inputs[i] = value;
  }
};

}  // namespace inferd
