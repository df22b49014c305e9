#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/derived_constant.h"
#include "engine/graph/op_def.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/passes.h"
#include "engine/passes/shape_values.h"

namespace inferd {
namespace {

// Results up to this size fold whatever their inputs' size.
constexpr int64_t kSmallBytes = 64 << 10;

int64_t InputBytes(const Graph& graph, const Node& node) {
  int64_t bytes = 0;
  for (ValueId input : node.inputs) {
    if (const Tensor* constant = graph.constant(input)) bytes += constant->byte_size();
  }
  return bytes;
}

// All attributes, exactly; nullopt when there are tensors among them.
std::optional<std::string> AttributesText(const Attributes& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes.values()) {
    absl::StrAppend(&text, " ", name.size(), ":", name, "=");
    if (const float* number = std::get_if<float>(&value)) {
      absl::StrAppend(&text, "f", std::bit_cast<uint32_t>(*number));
    } else if (const auto* text_value = std::get_if<std::string>(&value)) {
      absl::StrAppend(&text, text_value->size(), ":", *text_value);
    } else if (std::holds_alternative<int64_t>(value) ||
               std::holds_alternative<std::vector<int64_t>>(value)) {
      absl::StrAppend(&text, ToString(value));
    } else {
      return std::nullopt;
    }
  }
  return text;
}

// The result as a constant that is computed when it is read: nullopt unless it is large and comes
// from one that is. The node is such that EvaluateNode would take it.
absl::StatusOr<std::optional<Tensor>> Defer(const Graph& graph, const Node& node, int64_t limit) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue || !node.epilogue.empty() ||
      !node.subgraphs.empty() || !node.op->deterministic || node.op->compute == nullptr) {
    return std::nullopt;
  }
  const ValueType& type = graph.value(node.outputs[0]).type;
  const std::optional<std::string> attributes = AttributesText(node.attributes);
  if (!type.is_tensor() || !type.shape.IsConcrete() || !attributes) return std::nullopt;
  const Shape shape = type.shape.ToShape();
  const auto elements = shape.CheckedElements();
  if (!elements.ok() || *elements > limit / std::max<int64_t>(1, ElementBytes(type.dtype)) ||
      *elements * ElementBytes(type.dtype) < RecoverableBytes::kLeastBytes) {
    return std::nullopt;
  }
  std::vector<Tensor> inputs;
  bool recoverable = false;
  for (ValueId input : node.inputs) {
    const Tensor* constant = graph.constant(input);
    if (constant == nullptr || constant->kind() != ValueKind::kTensor) return std::nullopt;
    recoverable = recoverable || constant->recoverable() != nullptr;
    inputs.push_back(*constant);
  }
  if (!recoverable) return std::nullopt;
  if (node.op->op_class == OpClass::kView) return inputs[0].Reshaped(shape);
  auto evaluate = [op = node.op, attributes = node.attributes, shape, dtype = type.dtype](
                      absl::Span<const Tensor> tensors, void* to) {
    std::vector<const Tensor*> pointers;
    for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
    Tensor output = Tensor::View(dtype, shape, to);
    Tensor* outputs[] = {&output};
    KernelContext context(attributes, pointers, outputs, true, output.byte_size());
    return op->compute(context);
  };
  return DeriveConstant(type.dtype, shape, std::move(inputs),
                        absl::StrCat(node.op->domain, ".", node.op->name, *attributes),
                        std::move(evaluate));
}

}  // namespace

absl::StatusOr<int> FoldConstants(Graph& graph, const PassContext&) {
  int changes = 0;
  ShapeValues values(graph);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).removed) continue;
    // Earlier folds may have made shapes known.
    RETURN_IF_ERROR(values.Visit(id));
    const Node& node = graph.node(id);
    if (node.op->name == "DequantizeLinear") continue;
    const int64_t limit = std::max(kSmallBytes, InputBytes(graph, node));
    ASSIGN_OR_RETURN(std::optional<Tensor> deferred, Defer(graph, node, limit));
    if (deferred) {
      graph.SetConstant(node.outputs[0], *std::move(deferred));
      ++changes;
      continue;
    }
    ASSIGN_OR_RETURN(std::vector<Tensor> results, EvaluateNode(graph, node, limit));
    if (results.empty()) continue;
    const std::vector<ValueId> outputs = node.outputs;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] != kNoValue) graph.SetConstant(outputs[i], std::move(results[i]));
    }
    ++changes;
  }
  return changes;
}

}  // namespace inferd
