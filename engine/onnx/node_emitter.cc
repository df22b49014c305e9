#include "engine/onnx/node_emitter.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/control_flow.h"
#include "engine/onnx/name_text.h"
#include "engine/onnx/opset_versions.h"
#include "engine/ops/infer_context.h"

namespace inferd {
namespace {

std::string CountText(int min, int max) {
  if (max >= kVariadic) return absl::StrCat("at least ", min);
  return min == max ? absl::StrCat(min) : absl::StrCat(min, " to ", max);
}

void TrimAbsent(std::vector<ValueId>& ids, int min) {
  while (static_cast<int>(ids.size()) > min && ids.back() == kNoValue) ids.pop_back();
}

absl::Status CheckArity(const OpDef& op, OnnxNode& node) {
  if (op.op_class != OpClass::kControlFlow) {
    TrimAbsent(node.inputs, op.min_inputs);
    TrimAbsent(node.outputs, op.min_outputs);
  }
  const int inputs = static_cast<int>(node.inputs.size());
  const int outputs = static_cast<int>(node.outputs.size());
  if (inputs < op.min_inputs || inputs > op.max_inputs) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", inputs, " inputs; expected ",
                                                   CountText(op.min_inputs, op.max_inputs)));
  }
  if (outputs < op.min_outputs || outputs > op.max_outputs) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", outputs, " outputs; expected ",
                                                   CountText(op.min_outputs, op.max_outputs)));
  }
  for (int i = 0; op.op_class != OpClass::kControlFlow && i < op.min_inputs; ++i) {
    if (node.inputs[i] != kNoValue) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("input ", i, " is absent, but the operator requires it"));
  }
  return absl::OkStatus();
}

const AttributeSpec* FindSpec(const OpDef& op, absl::string_view name) {
  for (const AttributeSpec& spec : op.attributes) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string KnownAttributes(const OpDef& op) {
  if (op.attributes.empty()) return "it takes none";
  return absl::StrCat("it takes ",
                      absl::StrJoin(op.attributes, ", ", [](std::string* out, const auto& spec) {
                        absl::StrAppend(out, spec.name);
                      }));
}

absl::Status CheckAttribute(const OpDef& op, absl::string_view name, AttributeKind kind) {
  const AttributeSpec* spec = FindSpec(op, name);
  if (spec == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown attribute ", NameText(name), "; ", KnownAttributes(op)));
  }
  if (spec->kind != kind) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is of type ",
                                                   AttributeKindName(kind), "; expected ",
                                                   AttributeKindName(spec->kind)));
  }
  return absl::OkStatus();
}

absl::Status CheckAttributes(const OpDef& op, const OnnxNode& node) {
  for (const auto& [name, value] : node.attributes.values()) {
    RETURN_IF_ERROR(CheckAttribute(op, name, KindOf(value)));
  }
  for (const auto& [name, graph] : node.subgraphs) {
    RETURN_IF_ERROR(CheckAttribute(op, name, AttributeKind::kGraph));
  }
  for (const AttributeSpec& spec : op.attributes) {
    const bool given = spec.kind == AttributeKind::kGraph ? node.subgraphs.count(spec.name) > 0
                                                          : node.attributes.Has(spec.name);
    if (spec.required && !given) {
      return absl::InvalidArgumentError(absl::StrCat("attribute ", spec.name, " (",
                                                     AttributeKindName(spec.kind), ") is missing"));
    }
  }
  return absl::OkStatus();
}

bool IsKnown(const ValueType& type) {
  return type.kind != ValueKind::kTensor || type.dtype != DType::kInvalid;
}

// Types that cannot be told yet stay unknown, and errors too are left to the passes, which know
// more and say where.
void InferTypes(const Node& node, Graph& graph) {
  if (node.op->infer == nullptr || node.op->op_class == OpClass::kControlFlow) return;
  std::vector<const ValueType*> types;
  std::vector<const Tensor*> constants;
  for (ValueId input : node.inputs) {
    types.push_back(input == kNoValue ? nullptr : &graph.value(input).type);
    constants.push_back(graph.constant(input));
    if (types.back() != nullptr && !IsKnown(*types.back())) return;
  }
  InferContext context(node, std::move(types), std::move(constants));
  if (!node.op->infer(context).ok()) return;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueType& type = context.output_type(static_cast<int>(i));
    if (node.outputs[i] != kNoValue && IsKnown(type)) graph.value(node.outputs[i]).type = type;
  }
}

}  // namespace

absl::Status NodeEmitter::Emit(OnnxNode node, Graph& graph, const std::vector<ValueId>& captured) {
  const OpDef* op = registry_.Find(node.domain, node.op_type);
  if (op == nullptr) {
    return absl::UnimplementedError(absl::StrCat(
        "operator ", NameText(node.op_type), " of domain ", NameText(DomainText(node.domain)),
        node.version > 0 ? absl::StrCat(" (opset ", node.version, ")") : "",
        " is not known to this engine"));
  }
  if (op->op_class == OpClass::kControlFlow) RETURN_IF_ERROR(CheckControlFlow(node, captured));
  RETURN_IF_ERROR(CheckArity(*op, node));
  RETURN_IF_ERROR(CheckAttributes(*op, node));
  if (std::all_of(node.outputs.begin(), node.outputs.end(),
                  [](ValueId output) { return output == kNoValue; })) {
    return absl::OkStatus();  // nobody can see what it does
  }
  Node made;
  made.name = std::move(node.name);
  made.op = op;
  made.inputs = std::move(node.inputs);
  made.inputs.insert(made.inputs.end(), captured.begin(), captured.end());
  made.num_captured = static_cast<int>(captured.size());
  made.outputs = std::move(node.outputs);
  made.attributes = std::move(node.attributes);
  made.subgraphs = std::move(node.subgraphs);
  if (op->op_class == OpClass::kControlFlow) SetControlFlowTypes(made, graph);
  const NodeId id = graph.AddNode(std::move(made));
  InferTypes(graph.node(id), graph);
  return absl::OkStatus();
}

}  // namespace inferd
