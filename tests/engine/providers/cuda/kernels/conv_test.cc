#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::MakeAttributes;
using testing::RandomTensor;

using Ints = std::vector<int64_t>;

class ConvKernels : public CudaProviderTest {
 protected:
  void Check(const Shape& x, const Shape& w, const Attributes& attributes = {}, bool bias = false) {
    GraphBuilder b;
    std::vector<ValueId> ids = {b.Input("x", SymbolicShape(x)), b.Weights(w)};
    if (bias) ids.push_back(b.Weights(Shape({w[0]})));
    ExpectSame(b.Build({b.Op("Conv", ids, attributes)}), {RandomTensor(x)}, 1e-4, 1e-5);
  }
};

TEST_F(ConvKernels, ConvolveInOneTwoAndThreeDimensions) {
  Check(Shape({2, 3, 9}), Shape({4, 3, 3}));
  Check(Shape({2, 3, 9, 8}), Shape({4, 3, 3, 2}));
  Check(Shape({1, 2, 5, 6, 7}), Shape({3, 2, 2, 3, 2}));
}

TEST_F(ConvKernels, TakeStridesDilationsPadsAndGroups) {
  Check(Shape({1, 4, 11, 10}), Shape({6, 4, 3, 3}),
        MakeAttributes({{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 2, 1}}}));
  Check(Shape({1, 4, 11, 10}), Shape({6, 4, 3, 3}), MakeAttributes({{"dilations", Ints{2, 3}}}));
  Check(Shape({2, 4, 7, 7}), Shape({6, 2, 3, 3}), IntAttribute("group", 2), true);
  Check(Shape({2, 6, 7, 7}), Shape({6, 1, 3, 3}), IntAttribute("group", 6), true);
}

TEST_F(ConvKernels, ConvertTheWeightsOfNarrowActivationsOnce) {
  config_.precision = Precision::kBfloat16;
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 8, 8});
  const ValueId first =
      b.Op("Relu", {b.Op("Conv", {x, b.Weights(Shape({8, 3, 3, 3})), b.Weights(Shape({8}))})});
  const Graph graph =
      b.Build({b.Op("Conv", {first, b.Weights(Shape({4, 8, 1, 1})), b.Weights(Shape({4}))})});
  const std::vector<Tensor> inputs = {RandomTensor(Shape({1, 3, 8, 8}))};
  ExpectSame(graph, inputs, 2e-2, 5e-2);
  const std::string dump = (*PlanOf(graph, inputs))->ToString();
  EXPECT_NE(dump.find("cuda:0 bfloat16[1,8,6,6]"), std::string::npos) << dump;
}

TEST_F(ConvKernels, TakeABiasAResidualAndAReluAlong) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 6, 5});
  const ValueId first =
      b.Op("Relu", {b.Op("Conv", {x, b.Weights(Shape({4, 3, 1, 1})), b.Weights(Shape({4}))})});
  const ValueId second =
      b.Op("Conv", {first, b.Weights(Shape({4, 4, 3, 3})), b.Weights(Shape({4}))},
           MakeAttributes({{"pads", Ints{1, 1, 1, 1}}}));
  const Graph graph = b.Build({b.Op("Relu", {b.Op("Add", {second, first})})});
  ExpectSame(graph, {RandomTensor(Shape({2, 3, 6, 5}))}, 1e-4, 1e-5);
}

TEST_F(ConvKernels, StayChannelsLastThroughPoolsAndJoins) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 12, 12});
  const ValueId a = b.Op("Conv", {x, b.Weights(Shape({4, 3, 3, 3}))});
  const ValueId pool =
      b.Op("MaxPool", {a}, MakeAttributes({{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}}));
  const ValueId c = b.Op("Conv", {pool, b.Weights(Shape({4, 4, 1, 1}))});
  const ValueId joined = b.Op("Concat", {pool, c}, IntAttribute("axis", 1));
  const ValueId scaled = b.Op("Mul", {joined, b.Weights(Shape({8, 1, 1}))});
  const ValueId mean = b.Op("GlobalAveragePool", {scaled});
  const ValueId flat = b.Op("Reshape", {mean, b.Constant<int64_t>(Shape({2}), {1, 8})});
  const Graph graph = b.Build({b.Op("MatMul", {flat, b.Weights(Shape({8, 5}))}), scaled});
  ExpectSame(graph, {RandomTensor(Shape({1, 3, 12, 12}))}, 1e-4, 1e-5);
}

}  // namespace
}  // namespace inferd
