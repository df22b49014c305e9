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

TEST(FuseSwish, TakesTheQuickGeluAndMish) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId quick = b.Op("Mul", {x, b.Op("Sigmoid", {b.Op("Mul", {x, b.Scalar(1.702f)})})});
  const ValueId mish = b.Op("Mul", {x, b.Op("Tanh", {b.Op("Softplus", {x})})});
  Graph graph = b.Build({quick, mish});
  ExpectSameAnswers(FuseSwish, graph, {RandomTensor(Shape({3, 4}))}, 2);
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(FuseSwish, TakesFormsBuiltFromExponentials) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId softplus = b.Op("Log", {b.Op("Add", {b.Scalar(1), b.Op("Exp", {x})})});
  const ValueId chosen = b.Op("Where", {b.Op("Greater", {x, b.Scalar(20)}), x, softplus});
  const ValueId sum = b.Op("Add", {b.Op("Exp", {b.Op("Neg", {x})}), b.Scalar(1)});
  Graph graph = b.Build({chosen, b.Op("Div", {b.Scalar(1), sum})});
  ExpectSameAnswers(FuseSwish, graph, {RandomTensor(Shape({3, 4}))}, 3);
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(FuseSwish, TakesAHardSigmoidThatGatesAnotherValue) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId clip = b.Op("Clip", {b.Op("Add", {x, b.Scalar(3)}), b.Scalar(0), b.Scalar(6)});
  Graph graph = b.Build({b.Op("Div", {clip, b.Scalar(6)})});
  ExpectSameAnswers(FuseSwish, graph, {RandomTensor(Shape({3, 4}))}, 1);
  EXPECT_EQ(CountOps(graph, "HardSigmoid"), 1);
}

}  // namespace
}  // namespace inferd
