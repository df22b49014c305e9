#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"
#include "tests/support/recoverable.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

// A graph whose constants of [words, width] can be had again, as those of a file.
class ShareTiedWeightsTest : public ::testing::Test {
 protected:
  ValueId Embedding() {
    return b_.graph().AddConstant("", testing::Recoverable(set_, RandomTensor(Shape({7, 4}))));
  }

  // The rows of `words` that the graph's first input names.
  ValueId Embedded(ValueId words, SymbolicShape ids) {
    return b_.Op("Gather", {words, b_.Input("ids", std::move(ids), DType::kInt64)});
  }

  ValueId TimesTransposed(ValueId x, ValueId words) {
    return b_.Op("MatMul", {x, b_.Op("Transpose", {words})});
  }

  std::shared_ptr<RecoverySet> set_ = std::make_shared<RecoverySet>();
  const RecoverySet::Reading reading_{*set_};
  GraphBuilder b_;
};

TEST_F(ShareTiedWeightsTest, ReadsTheEmbeddingItselfWhateverTheShapeOfTheRows) {
  const Dim batch = b_.Symbol("batch");
  const Dim length = b_.Symbol("length");
  const SymbolicShape shapes[] = {{2}, {batch}, {2, 3}, {batch, 3}, {batch, length}};
  for (const SymbolicShape& ids : shapes) {
    b_ = GraphBuilder();
    b_.Symbol("batch");
    b_.Symbol("length");
    const ValueId words = Embedding();
    Graph graph = b_.Build({TimesTransposed(Embedded(words, ids), words)});
    const Shape bound = ids.rank() == 1 ? Shape({2}) : Shape({2, 3});
    std::vector<int64_t> values(bound.num_elements(), 5);
    values[0] = 6;
    ExpectSameAnswers(ShareTiedWeights, graph,
                      {Tensor::FromValues<int64_t>(bound, absl::MakeConstSpan(values))}, 1);
    EXPECT_EQ(CountOps(graph, "Transpose"), 0);
    EXPECT_EQ(CountOps(graph, "Gemm"), 1);
    EXPECT_TRUE(graph.value(graph.outputs()[0]).type.shape.has_rank());
  }
}

TEST_F(ShareTiedWeightsTest, LeavesATransposeThatNobodyElseNeedsTheOtherWayRound) {
  const ValueId x = b_.Input("x", {3, 4});
  Graph graph = b_.Build({TimesTransposed(x, Embedding())});
  ExpectSameAnswers(ShareTiedWeights, graph, {RandomTensor(Shape({3, 4}))}, 0);
}

TEST_F(ShareTiedWeightsTest, LeavesATransposeThatIsAlsoAnOutput) {
  const ValueId words = Embedding();
  const ValueId x = Embedded(words, {2});
  const ValueId transposed = b_.Op("Transpose", {words});
  Graph graph = b_.Build({b_.Op("MatMul", {x, transposed}), transposed});
  ExpectSameAnswers(ShareTiedWeights, graph, {Tensor::FromValues<int64_t>(Shape({2}), {1, 2})}, 0);
}

}  // namespace
}  // namespace inferd
