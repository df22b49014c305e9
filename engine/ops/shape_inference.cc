#include "engine/ops/shape_inference.h"

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd {
namespace {

bool CanEvaluate(const Graph& graph, const Node& node, int64_t limit_bytes) {
  if (!node.op->deterministic || node.op->compute == nullptr || !node.subgraphs.empty() ||
      !node.epilogue.empty()) {
    return false;
  }
  for (ValueId input : node.inputs) {
    if (input == kNoValue || graph.constant(input) != nullptr) continue;
    const ValueType& type = graph.value(input).type;
    if (!node.op->shape_only || !type.is_tensor() || !type.shape.IsConcrete()) return false;
  }
  int64_t bytes = 0;
  for (ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    const ValueType& type = graph.value(output).type;
    if (!type.is_tensor() || type.dtype == DType::kInvalid) return false;
    if (!type.shape.IsConcrete()) continue;
    const auto elements = type.shape.ToShape().CheckedElements();
    if (!elements.ok() || *elements > limit_bytes) return false;
    bytes += *elements * ElementBytes(type.dtype);
  }
  return bytes <= limit_bytes;
}

// The node's outputs when all are known to be empty, else an empty list.
absl::StatusOr<std::vector<Tensor>> EmptyOutputs(const Graph& graph, const Node& node) {
  std::vector<Tensor> results(node.outputs.size());
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    const ValueType& type = graph.value(node.outputs[i]).type;
    if (!type.shape.IsConcrete() || type.shape.ToShape().num_elements() > 0) {
      return std::vector<Tensor>();
    }
    ASSIGN_OR_RETURN(results[i], Tensor::Allocate(type.dtype, type.shape.ToShape()));
  }
  return results;
}

}  // namespace

std::string NodeLabel(const Node& node) {
  const absl::string_view op = node.op == nullptr ? "?" : node.op->name;
  return node.name.empty() ? absl::StrCat("unnamed ", op, " node")
                           : absl::StrCat("node '", node.name, "' (", op, ")");
}

absl::Status InferNode(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<const ValueType*> types;
  std::vector<const Tensor*> constants;
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    const ValueId input = node.inputs[i];
    types.push_back(input == kNoValue ? nullptr : &graph.value(input).type);
    constants.push_back(graph.constant(input));
  }
  InferContext context(node, std::move(types), std::move(constants));
  if (absl::Status status = node.op->infer(context); !status.ok()) {
    return Annotate(status, NodeLabel(node));
  }
  for (int i = 0; i < context.num_outputs(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    const ValueType& type = context.output_type(i);
    // Passes and plans multiply the dimensions of known shapes without looking.
    if (type.is_tensor() && type.shape.IsConcrete()) {
      if (const auto elements = type.shape.ToShape().CheckedElements(); !elements.ok()) {
        return Annotate(elements.status(), absl::StrCat(NodeLabel(node), " output ", i));
      }
    }
    graph.value(node.outputs[i]).type = type;
  }
  return absl::OkStatus();
}

absl::Status InferGraph(Graph& graph) {
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (!graph.node(id).removed) RETURN_IF_ERROR(InferNode(graph, id));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Tensor>> EvaluateNode(const Graph& graph, const Node& node,
                                                 int64_t limit_bytes) {
  std::vector<Tensor> results;
  if (!CanEvaluate(graph, node, limit_bytes)) return results;
  ASSIGN_OR_RETURN(results, EmptyOutputs(graph, node));
  if (!results.empty()) return results;
  std::vector<Tensor> shapes(node.inputs.size());
  std::vector<const Tensor*> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    const Tensor* known = graph.constant(input);
    if (input != kNoValue && known == nullptr) {
      const ValueType& type = graph.value(input).type;
      shapes[i] = Tensor::View(type.dtype, type.shape.ToShape(), nullptr);
      known = &shapes[i];
    }
    inputs.push_back(known);
  }
  results.resize(node.outputs.size());
  std::vector<Tensor*> outputs;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    outputs.push_back(node.outputs[i] == kNoValue ? nullptr : &results[i]);
  }
  KernelContext context(node.attributes, inputs, absl::MakeSpan(outputs), false, limit_bytes);
  if (absl::Status status = node.op->compute(context); !status.ok()) {
    // Too large to keep as a constant: it stays a step.
    if (absl::IsResourceExhausted(status)) return std::vector<Tensor>();
    return Annotate(status, NodeLabel(node));
  }
  return results;
}

}  // namespace inferd
