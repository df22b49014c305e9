#include "engine/onnx/control_flow.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/onnx/type_reader.h"

namespace inferd {
namespace {

absl::Status CheckCount(absl::string_view body, absl::string_view what, size_t got,
                        size_t expected) {
  if (got == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("its subgraph ", body, " has ", got, " ", what, "; the node needs ", expected));
}

// The outputs that the node may leave out become absent ones.
absl::Status MatchOutputs(OnnxNode& node, absl::string_view body, size_t expected) {
  if (node.outputs.size() > expected) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it has ", node.outputs.size(), " outputs; its subgraph ", body, " makes ", expected));
  }
  node.outputs.resize(expected, kNoValue);
  return absl::OkStatus();
}

absl::Status CheckIf(OnnxNode& node, size_t captured) {
  if (node.inputs.size() != 1 || node.inputs[0] == kNoValue) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.inputs.size(), " inputs; expected the condition alone"));
  }
  size_t outputs = node.outputs.size();
  for (const auto& [name, body] : node.subgraphs) {
    RETURN_IF_ERROR(CheckCount(name, "inputs", body->inputs().size() - captured, 0));
    RETURN_IF_ERROR(MatchOutputs(node, name, body->outputs().size()));
    if (name != node.subgraphs.begin()->first) {
      RETURN_IF_ERROR(CheckCount(name, "outputs", body->outputs().size(), outputs));
    }
    outputs = body->outputs().size();
  }
  return absl::OkStatus();
}

absl::Status CheckLoop(OnnxNode& node, const Graph& body, size_t captured) {
  if (node.inputs.size() < 2) node.inputs.resize(2, kNoValue);
  RETURN_IF_ERROR(
      CheckCount("body", "inputs", body.inputs().size() - captured, node.inputs.size()));
  const size_t carried = node.inputs.size() - 2;
  for (size_t i = 2; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) {
      return absl::InvalidArgumentError(absl::StrCat("carried value ", i - 2, " is absent"));
    }
  }
  if (body.outputs().size() < 1 + carried) {
    return absl::InvalidArgumentError(absl::StrCat(
        "its body has ", body.outputs().size(), " outputs; the node needs at least ", 1 + carried));
  }
  return MatchOutputs(node, "body", body.outputs().size() - 1);
}

absl::Status CheckOneByOne(OnnxNode& node, const Graph& body, size_t captured) {
  RETURN_IF_ERROR(
      CheckCount("body", "inputs", body.inputs().size() - captured, node.inputs.size()));
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
  }
  return MatchOutputs(node, "body", body.outputs().size());
}

}  // namespace

absl::Status CheckControlFlow(OnnxNode& node, const std::vector<ValueId>& captured) {
  if (node.op_type == "If") return CheckIf(node, captured.size());
  const auto body = node.subgraphs.find("body");
  if (body == node.subgraphs.end()) {
    return absl::InvalidArgumentError("attribute body (graph) is missing");
  }
  if (node.op_type == "Loop") return CheckLoop(node, *body->second, captured.size());
  return CheckOneByOne(node, *body->second, captured.size());
}

void SetControlFlowTypes(const Node& node, Graph& graph) {
  if (node.subgraphs.empty()) return;
  const Graph& body = *node.subgraphs.begin()->second;
  const size_t first = body.outputs().size() - node.outputs.size();  // 1 for Loop's condition
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    const ValueType& inner = body.value(body.outputs()[first + i]).type;
    ValueType type = ValueType::OfTensor(inner.dtype, SymbolicShape::UnknownRank());
    if (!inner.is_tensor()) type = TranslateSymbols(inner, body, graph);
    if (node.op->name == "SequenceMap") type = ValueType::OfSequence(type);
    graph.value(node.outputs[i]).type = type;
  }
}

}  // namespace inferd
