#pragma once

#include <string>

#include "dnnl.hpp"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/dnnl_types.h"

// Questions that every oneDNN kernel asks about a node.
namespace inferd::cpu {

inline bool HasInput(const Node& node, int i) {
  return i < node.num_op_inputs() && node.inputs[i] != kNoValue;
}

inline const SymbolicShape& InputShape(const Graph& graph, const Node& node, int i) {
  return graph.value(node.inputs[i]).type.shape;
}

inline const SymbolicShape& OutputShape(const Graph& graph, const Node& node) {
  return graph.value(node.outputs[0]).type.shape;
}

// How oneDNN sees the elements of input i or output 0 as they are stored.
inline dnnl::memory::data_type InputType(const Graph& graph, const Node& node, int i) {
  return DnnlDataType(graph.value(node.inputs[i]).type.dtype);
}
inline dnnl::memory::data_type OutputType(const Graph& graph, const Node& node) {
  return DnnlDataType(graph.value(node.outputs[0]).type.dtype);
}

// Whether the node has between `required` and `most` inputs of its own, the required ones present,
// all of them and its only output float32 tensors; or, where the processor computes in bfloat16,
// input 0 is bfloat16 and the others and the output are of either type.
bool FloatNode(const Graph& graph, const Node& node, int required, int most);

// False when a known size among the inputs and output 0 is zero or so large that oneDNN's 32-bit
// index arithmetic could overflow. Such bindings are left to the portable kernels.
bool WithinSizeLimits(const Graph& graph, const Node& node);

int64_t ElementCount(const dnnl::memory::dims& dims);
// "1x3x224x224".
std::string DimsText(const dnnl::memory::dims& dims);

}  // namespace inferd::cpu
