#include "engine/passes/symbol_table.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(SymbolTable, GivesEqualProductsOneSymbol) {
  Graph graph;
  const Dim a = Dim::Symbol(graph.SymbolId("a"));
  const Dim b = Dim::Symbol(graph.SymbolId("b"));
  SymbolTable table(graph);
  const Dim product = table.Product(table.Product(a, Dim(12)), b);
  EXPECT_TRUE(product.SameAs(table.Product(b, table.Product(Dim(3), table.Product(Dim(4), a)))));
  EXPECT_TRUE(table.ExactQuotient(product, b).SameAs(table.Product(Dim(12), a)));
  EXPECT_TRUE(table.Quotient(product, 12).SameAs(SymbolTable(graph).Product(a, b)));
  EXPECT_TRUE(table.Product(a, Dim(0)).Is(0));
}

TEST(SymbolTable, CancelsWhatWasAdded) {
  Graph graph;
  const Dim a = Dim::Symbol(graph.SymbolId("a"));
  SymbolTable table(graph);
  const Dim sum = table.Sum(a, Dim(3));
  EXPECT_TRUE(table.Difference(sum, Dim(3)).SameAs(a));
  EXPECT_TRUE(table.Difference(sum, a).Is(3));
  EXPECT_FALSE(table.Difference(a, Dim(3)).SameAs(a));
}

TEST(SymbolTable, StopsAtItsLimit) {
  Graph graph;
  SymbolTable table(graph);
  Dim dim = table.OfValue(0, 0);
  for (int i = 0; i < 5000; ++i) dim = table.Sum(dim.symbol < 0 ? Dim(1) : dim, Dim(1));
  EXPECT_LT(graph.symbols().size(), 3000u);
  EXPECT_FALSE(table.OfValue(1, 1).symbol >= 0);
}

TEST(SymbolTable, BroadcastsOnlyWhatIsCertain) {
  Graph graph;
  const Dim a = Dim::Symbol(graph.SymbolId("a"));
  const Dim b = Dim::Symbol(graph.SymbolId("b"));
  SymbolTable table(graph);
  EXPECT_TRUE(table.Broadcast(a, Dim(1)).SameAs(a));
  EXPECT_TRUE(table.Broadcast(a, Dim(5)).Is(5));
  EXPECT_TRUE(table.Broadcast(a, table.Minimum(a, Dim(512))).SameAs(a));
  EXPECT_FALSE(table.Broadcast(a, table.Minimum(a, Dim(1))).SameAs(a));
  EXPECT_LT(table.Broadcast(a, b).symbol, 0);
}

}  // namespace
}  // namespace inferd
