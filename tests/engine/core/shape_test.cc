#include "engine/core/shape.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Shape, CountsElementsAndStridesOfRowMajorOrder) {
  const Shape shape({2, 3, 4});
  EXPECT_EQ(shape.num_elements(), 24);
  EXPECT_EQ(shape.Product(1, 3), 12);
  EXPECT_THAT(shape.RowMajorStrides(), ElementsAre(12, 4, 1));
  EXPECT_EQ(Shape().num_elements(), 1);
  EXPECT_EQ(shape.ToString(), "[2,3,4]");
}

TEST(Shape, RefusesNegativeDimensionsNamingTheShape) {
  const auto elements = Shape({2, -1}).CheckedElements();
  EXPECT_EQ(elements.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(elements.status().message()), HasSubstr("[2,-1]"));
}

TEST(Shape, RefusesProductsThatOverflowAlsoBehindAZero) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_FALSE(Shape({huge, huge}).CheckedElements().ok());
  EXPECT_FALSE(Shape({int64_t{1} << 24, int64_t{1} << 25}).CheckedElements().ok());
  EXPECT_FALSE(Shape({0, huge, huge}).CheckedElements().ok());
  EXPECT_EQ(Shape({int64_t{1} << 24, int64_t{1} << 24}).CheckedElements().value(),
            int64_t{1} << 48);
  EXPECT_EQ(Shape({5, 0}).CheckedElements().value(), 0);
  EXPECT_TRUE(Shape({int64_t{1} << 31, 0}).CheckedElements().ok());
  EXPECT_FALSE(Shape({(int64_t{1} << 31) + 1, 0}).CheckedElements().ok());
}

TEST(Dim, ArithmeticKeepsKnownSizesAndNeutralElements) {
  const Dim batch = Dim::Symbol(3);
  EXPECT_TRUE((Dim(2) + Dim(3)).Is(5));
  EXPECT_TRUE((batch + 0).SameAs(batch));
  EXPECT_TRUE((batch * 1).SameAs(batch));
  EXPECT_TRUE((batch * 0).Is(0));
  EXPECT_FALSE((batch * 2).known());
  EXPECT_FALSE((batch * 2).SameAs(batch * 2));
  EXPECT_FALSE((Dim(2) - Dim(3)).known());
  EXPECT_FALSE((Dim(int64_t{1} << 40) * Dim(int64_t{1} << 40)).known());
}

TEST(SymbolicShape, IsTheSameOnlyWhereEveryDimensionIsProvablyEqual) {
  const SymbolicShape shape({Dim::Symbol(1), 4});
  EXPECT_TRUE(shape.SameAs(SymbolicShape({Dim::Symbol(1), 4})));
  EXPECT_FALSE(shape.SameAs(SymbolicShape({Dim::Symbol(2), 4})));
  EXPECT_FALSE(shape.SameAs(SymbolicShape({Dim::Symbol(1), 4, 1})));
  EXPECT_FALSE(SymbolicShape::OfRank(1).SameAs(SymbolicShape::OfRank(1)));
  EXPECT_FALSE(SymbolicShape::UnknownRank().SameAs(SymbolicShape::UnknownRank()));
  EXPECT_TRUE(SymbolicShape::Scalar().SameAs(SymbolicShape::Scalar()));
}

TEST(SymbolicShape, PrintsSymbolsUnknownsAndUnknownRank) {
  EXPECT_EQ(SymbolicShape({Dim::Symbol(1), 4, Dim::Unknown()}).ToString(), "[s1,4,?]");
  EXPECT_EQ(SymbolicShape::UnknownRank().ToString(), "[...]");
  EXPECT_EQ(SymbolicShape::UnknownRank().rank(), -1);
}

TEST(SymbolicShape, IsConcreteWhenAllIsKnown) {
  EXPECT_TRUE(SymbolicShape({2, 3}).IsConcrete());
  EXPECT_EQ(SymbolicShape({2, 3}).ToShape(), Shape({2, 3}));
  EXPECT_FALSE(SymbolicShape({2, Dim::Symbol(0)}).IsConcrete());
  EXPECT_FALSE(SymbolicShape::UnknownRank().IsConcrete());
}

}  // namespace
}  // namespace inferd
