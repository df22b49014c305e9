#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/graph/graph.h"
#include "engine/graph/op_def.h"

namespace inferd {
namespace {

std::string ValueList(const std::vector<ValueId>& ids) {
  return absl::StrJoin(ids, ", ", [](std::string* out, ValueId id) {
    id == kNoValue ? absl::StrAppend(out, "-") : absl::StrAppend(out, "%", id);
  });
}

std::string AttributeList(const Attributes& attributes) {
  if (attributes.values().empty()) return "";
  return absl::StrCat(" {",
                      absl::StrJoin(attributes.values(), ", ",
                                    [](std::string* out, const auto& entry) {
                                      absl::StrAppend(out, entry.first, "=",
                                                      ToString(entry.second));
                                    }),
                      "}");
}

std::string OpName(const OpDef* op) {
  if (op == nullptr) return "?";
  return op->domain.empty() ? std::string(op->name) : absl::StrCat(op->domain, ".", op->name);
}

std::string Describe(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  return absl::StrCat("%", id, " ", value.type.ToString(),
                      value.layout == Layout::kChannelsLast ? " channels-last" : "");
}

std::string NodeLine(const Graph& graph, const Node& node) {
  std::string line = absl::StrJoin(node.outputs, ", ", [&](std::string* out, ValueId id) {
    id == kNoValue ? absl::StrAppend(out, "-") : absl::StrAppend(out, Describe(graph, id));
  });
  absl::StrAppend(&line, " = ", OpName(node.op), "(", ValueList(node.inputs), ")",
                  AttributeList(node.attributes));
  for (const EpilogueStep& step : node.epilogue) {
    absl::StrAppend(&line, " -> ", OpName(step.op), AttributeList(step.attributes));
    if (step.operand >= 0) absl::StrAppend(&line, "(%", node.inputs[step.operand], ")");
  }
  if (!node.name.empty()) absl::StrAppend(&line, "  # ", node.name);
  return line;
}

absl::Status Broken(const Node& node, absl::string_view what) {
  return absl::InternalError(
      absl::StrCat("graph is broken at node ", node.name, " (", OpName(node.op), "): ", what));
}

}  // namespace

std::string Graph::ToString() const {
  std::string text = absl::StrCat("graph ", name, "\n");
  for (ValueId id : inputs_) {
    absl::StrAppend(&text, "  input ", Describe(*this, id), "  # ", values_[id].name, "\n");
  }
  for (const Node& node : nodes_) {
    if (!node.removed) absl::StrAppend(&text, "  ", NodeLine(*this, node), "\n");
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    absl::StrAppend(&text, "  output ", Describe(*this, outputs_[i]), "  # ",
                    output_name(static_cast<int>(i)), "\n");
  }
  return text;
}

absl::Status Graph::Verify() const {
  std::vector<bool> defined(values_.size(), false);
  for (ValueId id : inputs_) defined[id] = true;
  for (ValueId id = 0; id < num_values(); ++id) defined[id] = defined[id] || values_[id].constant;
  for (NodeId id = 0; id < num_nodes(); ++id) {
    const Node& node = nodes_[id];
    if (node.removed) continue;
    if (node.op == nullptr) return Broken(node, "it has no operator");
    if (node.num_op_inputs() < node.op->min_inputs || node.num_op_inputs() > node.op->max_inputs) {
      return Broken(node, absl::StrCat("it has ", node.num_op_inputs(), " inputs"));
    }
    for (ValueId input : node.inputs) {
      if (input == kNoValue) continue;
      if (input < 0 || input >= num_values()) return Broken(node, "an input id is out of range");
      if (!defined[input]) {
        return Broken(node, absl::StrCat("it reads ", values_[input].name, " before it is made"));
      }
    }
    for (ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      if (output < 0 || output >= num_values()) return Broken(node, "an output id is out of range");
      if (values_[output].producer != id) return Broken(node, "an output has another producer");
      defined[output] = true;
    }
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!defined[outputs_[i]]) {
      return absl::InternalError(
          absl::StrCat("graph output ", output_name(static_cast<int>(i)), " is not produced"));
    }
  }
  return absl::OkStatus();
}

}  // namespace inferd
