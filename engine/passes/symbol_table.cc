#include "engine/passes/symbol_table.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace inferd {
namespace {

// Arithmetic in hostile graphs must not grow without bound.
constexpr size_t kMaxSymbols = 2000;
constexpr size_t kMaxFactors = 8;
constexpr int64_t kMaxNumber = int64_t{1} << 48;

// The numbers after the kind of a symbol that this table named: "\x01*12,0,3"; empty for others.
std::vector<int64_t> Parts(const std::string& name, char kind) {
  std::vector<int64_t> parts;
  if (name.size() < 3 || name[0] != kDerivedSymbol || name[1] != kind) return parts;
  for (absl::string_view text : absl::StrSplit(absl::string_view(name).substr(2), ',')) {
    int64_t part = 0;
    if (!absl::SimpleAtoi(text, &part)) return {};
    parts.push_back(part);
  }
  return parts;
}

bool IsUnknown(const Dim& dim) { return !dim.known() && dim.symbol < 0; }

// How a dimension stands in a name: a number as it is, a symbol as -1 - id.
int64_t Code(const Dim& dim) { return dim.known() ? dim.value : -1 - int64_t{dim.symbol}; }

}  // namespace

SymbolTable::SymbolTable(Graph& graph) : graph_(graph) {
  for (size_t i = 0; i < graph.symbols().size(); ++i) {
    ids_.emplace(graph.symbols()[i], static_cast<int32_t>(i));
  }
}

Dim SymbolTable::Named(const std::string& name) {
  if (const auto it = ids_.find(name); it != ids_.end()) return Dim::Symbol(it->second);
  if (ids_.size() >= kMaxSymbols) return Dim::Unknown();
  const int32_t id = graph_.SymbolId(name);
  ids_.emplace(name, id);
  return Dim::Symbol(id);
}

Dim SymbolTable::OfValue(ValueId value, int axis) {
  return Named(absl::StrCat(std::string(1, kDerivedSymbol), "v", value, ",", axis));
}

SymbolProduct SymbolTable::ProductOf(const Dim& dim) const {
  if (dim.known()) return {dim.value, {}};
  const std::vector<int64_t> parts = Parts(graph_.symbols()[dim.symbol], '*');
  if (parts.empty()) return {1, {dim.symbol}};
  SymbolProduct product;
  product.number = parts[0];
  product.symbols.assign(parts.begin() + 1, parts.end());
  return product;
}

Dim SymbolTable::FromProduct(const SymbolProduct& product) {
  if (product.number < 0 || product.number > kMaxNumber) return Dim::Unknown();
  if (product.symbols.empty() || product.number == 0) return Dim(product.number);
  if (product.number == 1 && product.symbols.size() == 1) return Dim::Symbol(product.symbols[0]);
  if (product.symbols.size() > kMaxFactors) return Dim::Unknown();
  return Named(absl::StrCat(std::string(1, kDerivedSymbol), "*", product.number, ",",
                            absl::StrJoin(product.symbols, ",")));
}

Dim SymbolTable::Product(const Dim& a, const Dim& b) {
  if (a.Is(0) || b.Is(0)) return Dim(0);
  if (IsUnknown(a) || IsUnknown(b)) return Dim::Unknown();
  SymbolProduct product = ProductOf(a);
  const SymbolProduct other = ProductOf(b);
  if (product.number > kMaxNumber / std::max<int64_t>(other.number, 1)) return Dim::Unknown();
  product.number *= other.number;
  product.symbols.insert(product.symbols.end(), other.symbols.begin(), other.symbols.end());
  std::sort(product.symbols.begin(), product.symbols.end());
  return FromProduct(product);
}

Dim SymbolTable::Product(const SymbolicShape& shape, int begin, int end) {
  Dim product(1);
  for (int i = begin; i < end; ++i) product = Product(product, shape[i]);
  return product;
}

Dim SymbolTable::ExactQuotient(const Dim& a, const Dim& b) {
  if (IsUnknown(a) || IsUnknown(b)) return Dim::Unknown();
  SymbolProduct product = ProductOf(a);
  const SymbolProduct divisor = ProductOf(b);
  if (divisor.number <= 0 || product.number % divisor.number != 0) return Dim::Unknown();
  product.number /= divisor.number;
  for (int32_t symbol : divisor.symbols) {
    const auto it = std::find(product.symbols.begin(), product.symbols.end(), symbol);
    if (it == product.symbols.end()) return Dim::Unknown();
    product.symbols.erase(it);
  }
  return FromProduct(product);
}

Dim SymbolTable::Quotient(const Dim& a, int64_t divisor) {
  if (IsUnknown(a) || divisor <= 0) return Dim::Unknown();
  if (a.known()) return Dim(a.value / divisor);
  SymbolProduct product = ProductOf(a);
  if (product.number % divisor == 0) {
    product.number /= divisor;
    return FromProduct(product);
  }
  return Named(absl::StrCat(std::string(1, kDerivedSymbol), "/", Code(a), ",", divisor));
}

Dim SymbolTable::Sum(const Dim& a, const Dim& b) {
  if (IsUnknown(a) || IsUnknown(b)) return Dim::Unknown();
  if (a.known() && b.known()) {
    return a.value <= kMaxNumber && b.value <= kMaxNumber ? Dim(a.value + b.value) : Dim::Unknown();
  }
  if (a.Is(0)) return b;
  if (b.Is(0)) return a;
  if (a.symbol >= 0 && a.symbol == b.symbol) return Product(a, Dim(2));
  const auto [low, high] = std::minmax({Code(a), Code(b)});
  return Named(absl::StrCat(std::string(1, kDerivedSymbol), "+", low, ",", high));
}

Dim SymbolTable::Difference(const Dim& a, const Dim& b) const {
  if (IsUnknown(a) || IsUnknown(b)) return Dim::Unknown();
  if (a.SameAs(b)) return Dim(0);
  if (b.Is(0)) return a;
  if (a.known()) return b.known() && a.value >= b.value ? Dim(a.value - b.value) : Dim::Unknown();
  const std::vector<int64_t> parts = Parts(graph_.symbols()[a.symbol], '+');
  if (parts.size() != 2) return Dim::Unknown();
  for (int i = 0; i < 2; ++i) {
    if (parts[i] != Code(b)) continue;
    const int64_t other = parts[1 - i];
    return other >= 0 ? Dim(other) : Dim::Symbol(static_cast<int32_t>(-1 - other));
  }
  return Dim::Unknown();
}

Dim SymbolTable::Minimum(const Dim& a, const Dim& b) {
  if (IsUnknown(a) || IsUnknown(b)) return Dim::Unknown();
  if (a.SameAs(b)) return a;
  if (a.known() && b.known()) return Dim(std::min(a.value, b.value));
  const auto [low, high] = std::minmax({Code(a), Code(b)});
  return Named(absl::StrCat(std::string(1, kDerivedSymbol), "<", low, ",", high));
}

bool SymbolTable::IsMinimumOf(const Dim& smaller, const Dim& dim) const {
  if (smaller.symbol < 0 || dim.symbol < 0) return false;
  const std::vector<int64_t> parts = Parts(graph_.symbols()[smaller.symbol], '<');
  if (parts.size() != 2) return false;
  return (parts[0] == Code(dim) && parts[1] > 1) || (parts[1] == Code(dim) && parts[0] > 1);
}

Dim SymbolTable::Broadcast(const Dim& a, const Dim& b) const {
  if (a.Is(1)) return b;
  if (b.Is(1) || a.SameAs(b)) return a;
  // The side that is no 1 decides; an unknown one must then be 1 or equal.
  if (a.known()) return b.known() ? Dim::Unknown() : a;
  if (b.known()) return b;
  // min(a, n) with n > 1 is 1 only where a is, and otherwise a or invalid.
  if (IsMinimumOf(b, a)) return a;
  if (IsMinimumOf(a, b)) return b;
  return Dim::Unknown();
}

SymbolicShape SymbolTable::Broadcast(const SymbolicShape& a, const SymbolicShape& b) const {
  SymbolicShape result = SymbolicShape::OfRank(std::max(a.rank(), b.rank()));
  for (int d = 1; d <= result.rank(); ++d) {
    result[result.rank() - d] =
        Broadcast(d > a.rank() ? Dim(1) : a[a.rank() - d], d > b.rank() ? Dim(1) : b[b.rank() - d]);
  }
  return result;
}

}  // namespace inferd
