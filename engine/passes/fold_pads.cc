#include <algorithm>
#include <limits>
#include <optional>

#include "engine/graph/op_def.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

constexpr int64_t kMaxPad = 1 << 20;

// The pads of the spatial dimensions of an image, all begins and then all ends; nullopt when the
// Pad is none of zeros or pads another dimension.
std::optional<std::vector<int64_t>> SpatialPads(const Graph& graph, const Matcher& matcher,
                                                const Node& pad, double filler) {
  const Tensor* constant = graph.constant(pad.inputs[1]);
  const int rank = graph.value(pad.inputs[0]).type.shape.rank();
  const bool has_axes = pad.inputs.size() > 3 && pad.inputs[3] != kNoValue;
  if (constant == nullptr || rank < 3 || has_axes ||
      pad.attributes.String("mode", "constant") != "constant") {
    return std::nullopt;
  }
  const bool has_value = pad.inputs.size() > 2 && pad.inputs[2] != kNoValue;
  if ((has_value ? matcher.Scalar(pad.inputs[2]) : std::optional<double>(0)) != filler) {
    return std::nullopt;
  }
  const auto pads = constant->ToInt64s();
  if (!pads.ok() || pads->size() != static_cast<size_t>(2 * rank)) return std::nullopt;
  const auto& all = *pads;
  if (all[0] != 0 || all[1] != 0 || all[rank] != 0 || all[rank + 1] != 0) return std::nullopt;
  std::vector<int64_t> spatial(all.begin() + 2, all.begin() + rank);
  spatial.insert(spatial.end(), all.begin() + rank + 2, all.end());
  const bool valid =
      std::all_of(spatial.begin(), spatial.end(), [](int64_t p) { return p >= 0 && p <= kMaxPad; });
  return valid ? std::optional(std::move(spatial)) : std::nullopt;
}

// What a Pad must fill with for `node` to take it over; nullopt when it cannot.
std::optional<double> FillerFor(const Node& node) {
  const absl::string_view op = node.op->name;
  if (!node.op->domain.empty()) return std::nullopt;
  if (op == "Conv") return 0;
  // What padding counts, all of it must count.
  if (op == "AveragePool" && node.attributes.Int("count_include_pad", 0) != 0 &&
      node.attributes.Int("ceil_mode", 0) == 0) {
    return 0;
  }
  if (op == "MaxPool" && node.attributes.Int("ceil_mode", 0) == 0 && node.outputs.size() == 1) {
    return -std::numeric_limits<double>::infinity();
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int> FoldPads(Graph& graph, const PassContext& context) {
  int changes = 0;
  GraphEditor editor(graph);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    if (node.removed || node.inputs.empty() || node.inputs[0] == kNoValue) continue;
    const auto filler = FillerFor(node);
    const Node* pad = filler ? editor.Producer(node.inputs[0], "Pad") : nullptr;
    const std::string auto_pad = node.attributes.String("auto_pad", "NOTSET");
    if (pad == nullptr || (auto_pad != "NOTSET" && auto_pad != "VALID")) continue;
    auto pads = SpatialPads(graph, editor, *pad, *filler);
    if (!pads) continue;
    const std::vector<int64_t> own = node.attributes.Ints("pads");
    if (!own.empty() && own.size() != pads->size()) continue;
    // A MaxPool refuses windows that lie in the padding alone.
    if (node.op->name == "MaxPool") {
      const auto& window = node.attributes.Ints("kernel_shape");
      bool fits = 2 * window.size() == pads->size();
      for (size_t i = 0; fits && i < pads->size(); ++i) {
        fits = (*pads)[i] + (own.empty() ? 0 : own[i]) < window[i % window.size()];
      }
      if (!fits) continue;
    }
    for (size_t i = 0; i < own.size(); ++i) (*pads)[i] += own[i];
    context.Count(node.op->name);
    Node& edited = graph.node(id);
    edited.attributes.Set("pads", *std::move(pads));
    edited.attributes.Erase("auto_pad");
    editor.SetInput(id, 0, pad->inputs[0]);
    ++changes;
  }
  return changes;
}

}  // namespace inferd
