#include "engine/onnx/node_order.h"

#include <functional>
#include <queue>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"

namespace inferd {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<::onnx::NodeProto>;

// Calls visit(name) for every name a node reads, through its subgraphs too.
template <typename Visit>
void VisitReads(const ::onnx::NodeProto& node, Visit visit) {
  for (const std::string& input : node.input()) {
    if (!input.empty()) visit(absl::string_view(input));
  }
  for (const auto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    for (absl::string_view name : CapturedNames(attribute.g())) visit(name);
  }
}

using Producers = absl::flat_hash_map<absl::string_view, int>;

absl::StatusOr<Producers> FindProducers(const Nodes& nodes) {
  Producers producers;
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes[i].output()) {
      if (output.empty()) continue;
      const auto [it, added] = producers.emplace(output, i);
      if (added) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("value ", NameText(output), " is made twice: by ",
                       NodeText(nodes[it->second]), " and by ", NodeText(nodes[i])));
    }
  }
  return producers;
}

// A node on a cycle, given the nodes that sorting could not place (missing > 0): each of them reads
// a value of another, so that walking back ends on a cycle.
int FindCycle(const Nodes& nodes, const Producers& producers, const std::vector<int>& missing) {
  int at = 0;
  while (missing[at] == 0) ++at;
  for (int step = 0; step < nodes.size(); ++step) {
    int before = at;
    VisitReads(nodes[at], [&](absl::string_view name) {
      const auto it = producers.find(name);
      if (it != producers.end() && missing[it->second] > 0) before = it->second;
    });
    at = before;
  }
  return at;
}

}  // namespace

std::string NodeText(const ::onnx::NodeProto& node) {
  const std::string op =
      absl::StrCat(" (", absl::Utf8SafeCEscape(node.op_type().substr(0, 80)), ")");
  if (!node.name().empty()) return absl::StrCat("node ", NameText(node.name()), op);
  for (const std::string& output : node.output()) {
    if (!output.empty()) return absl::StrCat("node making ", NameText(output), op);
  }
  return absl::StrCat("unnamed node", op);
}

std::vector<absl::string_view> CapturedNames(const ::onnx::GraphProto& graph) {
  absl::flat_hash_set<absl::string_view> known;  // defined here, or captured already
  for (const auto& input : graph.input()) known.insert(input.name());
  for (const auto& tensor : graph.initializer()) known.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) known.insert(tensor.values().name());
  for (const auto& node : graph.node()) {
    for (const std::string& output : node.output()) known.insert(output);
  }
  std::vector<absl::string_view> captured;
  const auto read = [&](absl::string_view name) {
    if (known.insert(name).second) captured.push_back(name);
  };
  for (const auto& node : graph.node()) VisitReads(node, read);
  for (const auto& output : graph.output()) read(output.name());
  return captured;
}

absl::StatusOr<std::vector<int>> OrderNodes(const Nodes& nodes) {
  ASSIGN_OR_RETURN(const auto producers, FindProducers(nodes));
  std::vector<int> missing(nodes.size(), 0);
  std::vector<std::vector<int>> readers(nodes.size());
  for (int i = 0; i < nodes.size(); ++i) {
    VisitReads(nodes[i], [&](absl::string_view name) {
      const auto it = producers.find(name);
      if (it == producers.end()) return;
      ++missing[i];
      readers[it->second].push_back(i);
    });
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < nodes.size(); ++i) {
    if (missing[i] == 0) ready.push(i);
  }
  std::vector<int> order;
  order.reserve(nodes.size());
  while (!ready.empty()) {
    const int next = ready.top();
    ready.pop();
    order.push_back(next);
    for (int reader : readers[next]) {
      if (--missing[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() < missing.size()) {
    const int node = FindCycle(nodes, producers, missing);
    return absl::InvalidArgumentError(
        absl::StrCat("the graph has a cycle through ", NodeText(nodes[node])));
  }
  return order;
}

}  // namespace inferd
