#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameAnswers;
using testing::GraphBuilder;
using testing::RandomTensor;

TEST(FuseSwish, TakesXTimesSigmoidInEitherOrder) {
  for (bool swapped : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {3, 4});
    const ValueId gate = b.Op("Sigmoid", {x});
    Graph graph = b.Build({swapped ? b.Op("Mul", {gate, x}) : b.Op("Mul", {x, gate})});
    ExpectSameAnswers(FuseSwish, graph, {RandomTensor(Shape({3, 4}))}, 1);
    EXPECT_EQ(CountOps(graph, "Swish"), 1);
    EXPECT_EQ(graph.num_nodes(), 1);
  }
}

TEST(FuseSwish, TakesTheOldHardSwishOfClipAndDiv) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId clip = b.Op("Clip", {b.Op("Add", {x, b.Scalar(3)}), b.Scalar(0), b.Scalar(6)});
  Graph graph = b.Build({b.Op("Div", {b.Op("Mul", {x, clip}), b.Scalar(6)})});
  ExpectSameAnswers(FuseSwish, graph, {RandomTensor(Shape({3, 4}))}, 1);
  EXPECT_EQ(CountOps(graph, "HardSwish"), 1);
}

TEST(FuseSwish, LeavesAGateThatIsReadElsewhere) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId gate = b.Op("Sigmoid", {x});
  Graph graph = b.Build({b.Op("Mul", {x, gate}), gate});
  ExpectSameAnswers(FuseSwish, graph, {RandomTensor(Shape({3, 4}))}, 0);
}

}  // namespace
}  // namespace inferd
