#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/shape.h"
#include "engine/graph/graph.h"

namespace inferd {

// Starts the names of symbols that a table made; the importer takes no such name from a file.
inline constexpr char kDerivedSymbol = '\x01';

// A symbol as a product of a number and of symbols that are none themselves.
struct SymbolProduct {
  int64_t number = 1;
  std::vector<int32_t> symbols;  // sorted
};

// Arithmetic over the dimensions of a graph: a result that is no number is a symbol whose name in
// the graph says how it came about, so equal arithmetic gives equal symbols, also in another table
// over the same graph. Every symbol stands for a number >= 0. Used by one thread at a time.
class SymbolTable {
 public:
  explicit SymbolTable(Graph& graph);

  // A symbol for one dimension of a value, whose size every reader sees; unknown past the limit on
  // symbols.
  Dim OfValue(ValueId value, int axis);
  // Unknown when an operand is, on overflow and past the limit.
  Dim Product(const Dim& a, const Dim& b);
  Dim Product(const SymbolicShape& shape, int begin, int end);
  // a / b when that is known to leave no remainder, else unknown. Takes no symbol in b for 0: what
  // a dimension of -1 means beside a 0 is not defined.
  Dim ExactQuotient(const Dim& a, const Dim& b);
  // Rounds down; for divisors > 0.
  Dim Quotient(const Dim& a, int64_t divisor);
  Dim Sum(const Dim& a, const Dim& b);
  // a - b when that is known not to be negative.
  Dim Difference(const Dim& a, const Dim& b) const;
  Dim Minimum(const Dim& a, const Dim& b);
  // The dimension two broadcast operands give in every case that is valid; unknown when it depends.
  Dim Broadcast(const Dim& a, const Dim& b) const;
  SymbolicShape Broadcast(const SymbolicShape& a, const SymbolicShape& b) const;

 private:
  Dim Named(const std::string& name);
  SymbolProduct ProductOf(const Dim& dim) const;
  Dim FromProduct(const SymbolProduct& product);
  // Whether `smaller` is the minimum of `dim` and something above 1.
  bool IsMinimumOf(const Dim& smaller, const Dim& dim) const;

  Graph& graph_;
  std::unordered_map<std::string, int32_t> ids_;
};

}  // namespace inferd
