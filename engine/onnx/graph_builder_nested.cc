// GraphBuilder's nested bodies: calls of model-local functions, and subgraphs.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/graph_builder.h"
#include "engine/onnx/name_text.h"
#include "engine/onnx/node_order.h"
#include "engine/onnx/type_reader.h"

namespace inferd {
namespace {

constexpr int kMaxDepth = 32;

absl::Status CheckDepth(int depth) {
  if (depth <= kMaxDepth) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("functions and subgraphs nest deeper than ", kMaxDepth));
}

// The type of what `node` passes to its body's input `i`, which need not declare one. Loop passes
// its iteration number and condition first; a sequence goes to a body element by element.
ValueType PassedType(const OnnxNode& node, size_t i, const Graph& outer, Graph& body) {
  if (node.op_type == "Loop" && i < 2) {
    return ValueType::OfTensor(i == 0 ? DType::kInt64 : DType::kBool, SymbolicShape::Scalar());
  }
  // Scan of opset 8 has its sequence lengths first.
  if (node.op_type == "Scan" && node.version < 9) ++i;
  if (!node.has_input(i)) return ValueType();
  const ValueType& type = outer.value(node.inputs[i]).type;
  const bool by_element =
      node.op_type == "SequenceMap" && type.kind == ValueKind::kSequence && type.element != nullptr;
  return TranslateSymbols(by_element ? *type.element : type, outer, body);
}

}  // namespace

absl::StatusOr<AttributeScope> GraphBuilder::CallAttributes(const ::onnx::NodeProto& proto,
                                                            const ModelFunction& function,
                                                            Scope& scope) {
  AttributeScope attributes = function.defaults;
  const auto& declared = function.proto->attribute();
  for (const auto& given : proto.attribute()) {
    if (function.defaults.count(given.name()) == 0 &&
        std::find(declared.begin(), declared.end(), given.name()) == declared.end()) {
      return absl::InvalidArgumentError(absl::StrCat("function ", NameText(proto.op_type()),
                                                     " has no attribute ", NameText(given.name())));
    }
    ASSIGN_OR_RETURN(const ::onnx::AttributeProto* attribute,
                     ResolveAttribute(given, scope.attributes));
    if (attribute != nullptr) attributes[given.name()] = *attribute;
  }
  return attributes;
}

absl::Status GraphBuilder::BuildCall(const ::onnx::NodeProto& proto, const ModelFunction& function,
                                     Scope& scope) {
  const ::onnx::FunctionProto& body = *function.proto;
  if (std::find(call_stack_.begin(), call_stack_.end(), &body) != call_stack_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("function ", NameText(body.name()), " calls itself"));
  }
  RETURN_IF_ERROR(CheckDepth(scope.depth + 1));
  if (proto.input_size() > body.input_size() || proto.output_size() > body.output_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it has ", proto.input_size(), " inputs and ", proto.output_size(), " outputs; function ",
        NameText(body.name()), " has ", body.input_size(), " and ", body.output_size()));
  }
  ASSIGN_OR_RETURN(const AttributeScope attributes, CallAttributes(proto, function, scope));
  ASSIGN_OR_RETURN(const std::vector<ValueId> inputs, ReadInputs(proto, scope));
  Scope inner{.graph = scope.graph,
              .opsets = function.opsets,
              .attributes = &attributes,
              .prefix = absl::StrCat(scope.prefix, body.name(), "_", calls_built_++, "/"),
              .depth = scope.depth + 1};
  for (int i = 0; i < body.input_size(); ++i) {
    const ValueId id = i < static_cast<int>(inputs.size()) ? inputs[i] : kNoValue;
    RETURN_IF_ERROR(Define(inner, body.input(i), id));
  }
  for (int i = 0; i < proto.output_size(); ++i) {
    if (!proto.output(i).empty()) {
      inner.output_names[body.output(i)] = absl::StrCat(scope.prefix, proto.output(i));
    }
  }
  call_stack_.push_back(&body);
  const absl::Status built = BuildNodes(body.node(), inner);
  call_stack_.pop_back();
  RETURN_IF_ERROR(Annotate(built, absl::StrCat("in function ", NameText(body.name()))));
  for (int i = 0; i < proto.output_size(); ++i) {
    if (proto.output(i).empty()) continue;
    const auto it = inner.names.find(body.output(i));
    if (it == inner.names.end()) {
      return absl::InvalidArgumentError(absl::StrCat("function ", NameText(body.name()),
                                                     " does not make its output ",
                                                     NameText(body.output(i))));
    }
    RETURN_IF_ERROR(Define(scope, proto.output(i), it->second));
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::BuildSubgraphs(const std::vector<const ::onnx::AttributeProto*>& protos,
                                          Scope& scope, OnnxNode& node) {
  // All of a node's subgraphs get the same captures, so that they can be passed as one list.
  std::vector<Capture> captures;
  absl::flat_hash_map<std::string, bool> seen;
  for (const auto* attribute : protos) {
    for (absl::string_view view : CapturedNames(attribute->g())) {
      const std::string name(view);
      const auto it = scope.names.find(name);
      // What nobody defines is reported by the node inside that reads it.
      if (it == scope.names.end() || !seen.emplace(name, true).second) continue;
      captures.push_back({name, it->second});
      const bool passed = it->second != kNoValue && scope.graph.constant(it->second) == nullptr;
      if (passed) node.captured.push_back(it->second);
    }
  }
  for (const auto* attribute : protos) {
    absl::StatusOr<std::shared_ptr<const Graph>> graph =
        BuildSubgraph(attribute->g(), node, captures, scope);
    if (!graph.ok()) {
      return Annotate(graph.status(), absl::StrCat("in subgraph ", NameText(attribute->name())));
    }
    if (!node.subgraphs.emplace(attribute->name(), *std::move(graph)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("attribute ", NameText(attribute->name()), " is given twice"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Graph>> GraphBuilder::BuildSubgraph(
    const ::onnx::GraphProto& proto, const OnnxNode& node, const std::vector<Capture>& captures,
    Scope& outer) {
  RETURN_IF_ERROR(CheckDepth(outer.depth + 1));
  auto graph = std::make_shared<Graph>();
  graph->name = proto.name();
  Scope scope{.graph = *graph,
              .opsets = outer.opsets,
              .attributes = outer.attributes,
              .prefix = outer.prefix,
              .depth = outer.depth + 1};
  // Bodies inside functions are built more than once, so this copy is needed there.
  ::onnx::GraphProto tensors;
  *tensors.mutable_initializer() = proto.initializer();
  *tensors.mutable_sparse_initializer() = proto.sparse_initializer();
  RETURN_IF_ERROR(AddInitializers(tensors, {}, scope));
  RETURN_IF_ERROR(AddInputs(proto, scope));
  for (size_t i = 0; i < graph->inputs().size(); ++i) {
    ValueType& type = graph->value(graph->inputs()[i]).type;
    if (!type.is_tensor()) continue;
    if (type.dtype == DType::kInvalid) type = PassedType(node, i, outer.graph, *graph);
    // Shapes may change from one iteration to the next, whatever the body declares.
    if (type.is_tensor()) type.shape = SymbolicShape::UnknownRank();
  }
  for (const Capture& capture : captures) {
    const bool shadowed = scope.names.contains(capture.name);
    if (capture.outer == kNoValue) {
      if (!shadowed) RETURN_IF_ERROR(Define(scope, capture.name, kNoValue));
      continue;
    }
    const Value& value = outer.graph.value(capture.outer);
    ValueId id = kNoValue;
    if (value.constant) {
      id = shadowed ? kNoValue : graph->AddConstant(capture.name, *value.constant);
    } else {
      id = graph->AddInput(capture.name, TranslateSymbols(value.type, outer.graph, *graph));
    }
    if (!shadowed) RETURN_IF_ERROR(Define(scope, capture.name, id));
  }
  RETURN_IF_ERROR(BuildNodes(proto.node(), scope));
  RETURN_IF_ERROR(AddOutputs(proto, scope));
  return std::shared_ptr<const Graph>(std::move(graph));
}

}  // namespace inferd
