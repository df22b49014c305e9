#include "engine/ops/dim_check.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(DimCheck, LearnsDimensionsFromOneShapeAndChecksTheNext) {
  Dim batch, columns;
  EXPECT_TRUE(MatchDims("x", {Dim(2), Dim()}, {&batch, &columns}).ok());
  EXPECT_TRUE(batch.Is(2));
  EXPECT_FALSE(columns.known());
  EXPECT_TRUE(MatchDims("y", {Dim(), Dim(3)}, {&batch, &columns}).ok());
  EXPECT_TRUE(columns.Is(3));
  EXPECT_EQ(MatchDims("z", {Dim(2), Dim(4)}, {&batch, &columns}).message(),
            "z has shape [2,4], expected [2,3]");
}

TEST(DimCheck, ChecksTheRankUnlessItIsUnknown) {
  Dim size = 2;
  EXPECT_TRUE(MatchDims("x", SymbolicShape::UnknownRank(), {&size}).ok());
  EXPECT_EQ(MatchDims("x", {Dim(2), Dim(2)}, {&size}).message(), "x has shape [2,2], expected [2]");
}

TEST(DimCheck, KeepsASymbolUntilTheSizeIsKnown) {
  Dim batch = Dim::Symbol(1);
  EXPECT_TRUE(UnifyDim("batch", Dim::Symbol(2), &batch).ok());
  EXPECT_EQ(batch.symbol, 1);
  EXPECT_TRUE(UnifyDim("batch", Dim(5), &batch).ok());
  EXPECT_EQ(UnifyDim("batch", Dim(4), &batch).message(), "batch is 4, expected 5");
}

}  // namespace
}  // namespace inferd
