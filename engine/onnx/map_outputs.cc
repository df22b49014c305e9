#include "engine/onnx/map_outputs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/utf8_text.h"

namespace inferd {
namespace {

// Empty where they are missing or no text.
std::vector<std::string> ClassNames(const Attributes& attributes) {
  const auto labels = ReadClassLabels(attributes, "classlabels_int64s", "classlabels_strings");
  if (!labels.ok()) return {};
  if (!labels->is_string()) {
    std::vector<std::string> names;
    for (const int64_t label : *labels->ints) names.push_back(absl::StrCat(label));
    return names;
  }
  const bool are_text =
      std::all_of(labels->strings->begin(), labels->strings->end(),
                  [](const std::string& name) { return CountCharacters(name).ok(); });
  return are_text ? *labels->strings : std::vector<std::string>();
}

}  // namespace

std::map<std::string, std::vector<std::string>> ReplaceMapOutputs(Graph& graph) {
  std::map<std::string, std::vector<std::string>> classes;
  for (int i = 0; i < static_cast<int>(graph.outputs().size()); ++i) {
    const NodeId producer = graph.value(graph.outputs()[i]).producer;
    if (producer == kNoNode) continue;
    const Node& node = graph.node(producer);
    if (node.op->domain != "ai.onnx.ml" || node.op->name != "ZipMap") continue;
    std::vector<std::string> names = ClassNames(node.attributes);
    if (names.empty()) continue;
    classes[graph.output_name(i)] = std::move(names);
    graph.SetOutput(i, node.inputs[0]);
  }
  return classes;
}

}  // namespace inferd
