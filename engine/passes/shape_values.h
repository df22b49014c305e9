#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "engine/graph/graph.h"
#include "engine/passes/symbol_table.h"

namespace inferd {

// One element of an integer tensor: a number, a symbol (a number >= 0 that is the same wherever it
// stands), or unknown.
struct KnownElement {
  enum class Kind : uint8_t { kUnknown, kNumber, kSymbol };
  Kind kind = Kind::kUnknown;
  int64_t number = 0;
  int32_t symbol = -1;

  static KnownElement Number(int64_t number) { return {Kind::kNumber, number, -1}; }
  static KnownElement OfDim(const Dim& dim);
  bool is_number() const { return kind == Kind::kNumber; }
  bool is_symbol() const { return kind == Kind::kSymbol; }
  bool IsNumber(int64_t expected) const { return is_number() && number == expected; }
  bool SameAs(const KnownElement& other) const;
  // Unknown for negative numbers.
  Dim ToDim() const;
};

using KnownElements = std::vector<KnownElement>;

// Follows sizes through a graph whose shapes are symbolic: what small integer tensors hold, and
// what shapes follow from that. Types it refines stay true for every binding. Nodes are visited in
// order. Used by one thread at a time.
class ShapeValues {
 public:
  explicit ShapeValues(Graph& graph);

  // Runs the node's shape rule, adds what was known of its outputs before and what follows from
  // known values, and finds what its outputs hold.
  absl::Status Visit(NodeId id);
  // Row-major; null when nothing is known. Also answers for small integer constants.
  const KnownElements* Find(ValueId value);

 private:
  void RefineTypes(const Node& node);
  SymbolicShape ReshapedShape(const Node& node, const KnownElements& target);
  void RefineSlice(const Node& node, SymbolicShape* shape);
  Dim SliceDim(const Dim& dim, const KnownElement& start, const KnownElement& end);
  void RefineDims(const Node& node, SymbolicShape* shape);
  // What the rule of the operator leaves open; nullopt when nothing more is known.
  std::optional<SymbolicShape> BetterShape(const Node& node, const SymbolicShape& shape);
  std::optional<SymbolicShape> BroadcastShape(const Node& node);

  std::optional<KnownElements> Evaluate(const Node& node);
  std::optional<KnownElements> EvaluateShape(const Node& node);
  std::optional<KnownElements> EvaluateGather(const Node& node);
  std::optional<KnownElements> EvaluateSlice(const Node& node);
  std::optional<KnownElements> EvaluateConcat(const Node& node);
  std::optional<KnownElements> EvaluateBinary(const Node& node);
  std::optional<KnownElements> EvaluateWhere(const Node& node);
  KnownElement Arithmetic(absl::string_view op, const KnownElement& a, const KnownElement& b);

  Graph& graph_;
  SymbolTable symbols_;
  std::unordered_map<ValueId, KnownElements> known_;  // pointers to its elements stay valid
};

}  // namespace inferd
