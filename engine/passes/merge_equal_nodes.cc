#include <cstring>
#include <string>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// Constants up to this size are compared by content.
constexpr int64_t kMaxBytes = 4096;

void AppendBytes(std::string* key, const void* bytes, size_t count) {
  absl::StrAppend(key, count, ":");
  key->append(static_cast<const char*>(bytes), count);
}

// False when the tensor is none that can be compared by its bytes.
bool AppendTensor(const Tensor& tensor, std::string* key) {
  if (tensor.kind() != ValueKind::kTensor || tensor.dtype() == DType::kString ||
      tensor.byte_size() > kMaxBytes) {
    return false;
  }
  absl::StrAppend(key, static_cast<int>(tensor.dtype()), tensor.shape().ToString());
  AppendBytes(key, tensor.raw(), tensor.byte_size());
  return true;
}

bool AppendAttribute(const Attributes::Value& value, std::string* key) {
  absl::StrAppend(key, value.index(), "=");
  if (const auto* number = std::get_if<int64_t>(&value)) {
    absl::StrAppend(key, *number);
  } else if (const auto* real = std::get_if<float>(&value)) {
    AppendBytes(key, real, sizeof(float));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    AppendBytes(key, text->data(), text->size());
  } else if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value)) {
    AppendBytes(key, numbers->data(), numbers->size() * sizeof(int64_t));
  } else if (const auto* reals = std::get_if<std::vector<float>>(&value)) {
    AppendBytes(key, reals->data(), reals->size() * sizeof(float));
  } else if (const auto* tensor = std::get_if<Tensor>(&value)) {
    return AppendTensor(*tensor, key);
  } else {
    return false;
  }
  return key->size() <= 4 * kMaxBytes;
}

// Merges equal constants and equal nodes of one graph. Used by one thread at a time.
class NodeMerger {
 public:
  NodeMerger(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), editor_(graph) {}

  int Run() {
    int changes = 0;
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      if (graph_.node(id).removed) continue;
      for (size_t i = 0; i < graph_.node(id).inputs.size(); ++i) changes += MergeInput(id, i);
      if (MergeNode(id)) ++changes;
    }
    return changes;
  }

 private:
  int MergeInput(NodeId id, size_t i) {
    const ValueId input = graph_.node(id).inputs[i];
    const Tensor* constant = graph_.constant(input);
    std::string key;
    if (constant == nullptr || !AppendTensor(*constant, &key)) return 0;
    const ValueId first = constants_.try_emplace(std::move(key), input).first->second;
    if (first == input) return 0;
    editor_.SetInput(id, static_cast<int>(i), first);
    context_.Count("equal constants");
    return 1;
  }

  bool MergeNode(NodeId id) {
    const Node& node = graph_.node(id);
    if (!node.op->deterministic || !node.subgraphs.empty() || !node.epilogue.empty() ||
        node.op->op_class == OpClass::kControlFlow || node.outputs.empty()) {
      return false;
    }
    std::string key = absl::StrCat(node.op->domain, ".", node.op->name, "(");
    for (ValueId input : node.inputs) absl::StrAppend(&key, input, ",");
    for (const auto& [name, value] : node.attributes.values()) {
      absl::StrAppend(&key, ";", name);
      if (!AppendAttribute(value, &key)) return false;
    }
    const auto [entry, added] = nodes_.try_emplace(std::move(key), id);
    if (added) return false;
    const Node& first = graph_.node(entry->second);
    if (first.removed || first.outputs.size() != node.outputs.size()) return false;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if ((node.outputs[i] == kNoValue) != (first.outputs[i] == kNoValue)) return false;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) editor_.ReplaceUses(node.outputs[i], first.outputs[i]);
    }
    context_.Count("equal nodes");
    return true;
  }

  Graph& graph_;
  const PassContext& context_;
  GraphEditor editor_;
  std::unordered_map<std::string, ValueId> constants_;
  std::unordered_map<std::string, NodeId> nodes_;
};

}  // namespace

absl::StatusOr<int> MergeEqualNodes(Graph& graph, const PassContext& context) {
  return NodeMerger(graph, context).Run();
}

}  // namespace inferd
