#include "engine/providers/cpu/node_checks.h"

#include "absl/strings/str_join.h"
#include "engine/providers/cpu/cpu_features.h"

namespace inferd::cpu {
namespace {

bool IsFloatTensor(const Graph& graph, ValueId id, bool narrow) {
  const ValueType& type = graph.value(id).type;
  return type.is_tensor() &&
         (type.dtype == DType::kFloat32 || (narrow && type.dtype == DType::kBfloat16));
}

bool WithinSizeLimits(const SymbolicShape& shape) {
  constexpr int64_t kMostElements = (int64_t{1} << 31) - 1;
  int64_t elements = 1;
  for (const Dim& dim : shape.dims()) {
    if (!dim.known()) continue;
    if (dim.value == 0 || dim.value > kMostElements / elements) return false;
    elements *= dim.value;
  }
  return true;
}

}  // namespace

bool FloatNode(const Graph& graph, const Node& node, int required, int most) {
  if (node.num_op_inputs() > most || node.outputs.empty() || node.outputs[0] == kNoValue) {
    return false;
  }
  for (int i = 0; i < required; ++i) {
    if (!HasInput(node, i)) return false;
  }
  const bool narrow = HasInput(node, 0) &&
                      graph.value(node.inputs[0]).type.dtype == DType::kBfloat16 &&
                      ComputesBfloat16();
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    if (HasInput(node, i) && !IsFloatTensor(graph, node.inputs[i], narrow)) return false;
  }
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue) return false;
  }
  return IsFloatTensor(graph, node.outputs[0], narrow);
}

bool WithinSizeLimits(const Graph& graph, const Node& node) {
  for (ValueId id : node.inputs) {
    if (id != kNoValue && !WithinSizeLimits(graph.value(id).type.shape)) return false;
  }
  return WithinSizeLimits(graph.value(node.outputs[0]).type.shape);
}

int64_t ElementCount(const dnnl::memory::dims& dims) {
  int64_t count = 1;
  for (int64_t dim : dims) count *= dim;
  return count;
}

std::string DimsText(const dnnl::memory::dims& dims) { return absl::StrJoin(dims, "x"); }

}  // namespace inferd::cpu
