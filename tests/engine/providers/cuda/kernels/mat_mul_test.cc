#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::MakeAttributes;
using testing::RandomOf;
using testing::RandomTensor;

class MatMulKernels : public CudaProviderTest {
 protected:
  void CheckMatMul(const Shape& a, const Shape& b, DType type = DType::kFloat32) {
    GraphBuilder g;
    const ValueId x = g.Input("a", SymbolicShape(a), type);
    const ValueId y = g.Input("b", SymbolicShape(b), type);
    const double tolerance = type == DType::kFloat32 ? 1e-5 : 2e-2;
    ExpectSame(g.Build({g.Op("MatMul", {x, y})}), {RandomOf(type, a, 1), RandomOf(type, b, 2)},
               tolerance, tolerance);
  }

  // With C of this shape; an empty name of `transposed` is neither.
  void CheckGemm(const Shape& c, float alpha, float beta, bool a_transposed, bool b_transposed) {
    GraphBuilder g;
    const Shape a = a_transposed ? Shape({5, 4}) : Shape({4, 5});
    const Shape b = b_transposed ? Shape({6, 5}) : Shape({5, 6});
    const std::vector<ValueId> ids = {g.Input("a", SymbolicShape(a)),
                                      g.Input("b", SymbolicShape(b)),
                                      g.Input("c", SymbolicShape(c))};
    const Attributes attributes = MakeAttributes({{"alpha", alpha},
                                                  {"beta", beta},
                                                  {"transA", int64_t{a_transposed}},
                                                  {"transB", int64_t{b_transposed}}});
    ExpectSame(g.Build({g.Op("Gemm", ids, attributes)}),
               {RandomTensor(a, 1), RandomTensor(b, 2), RandomTensor(c, 3)});
  }
};

TEST_F(MatMulKernels, MultiplyMatricesOfAnyShape) {
  CheckMatMul(Shape({3, 4}), Shape({4, 5}));
  CheckMatMul(Shape({1, 7}), Shape({7, 1}));
  CheckMatMul(Shape({33, 65}), Shape({65, 17}));
}

TEST_F(MatMulKernels, MultiplyBatches) {
  CheckMatMul(Shape({2, 3, 4}), Shape({4, 5}));
  CheckMatMul(Shape({2, 3, 4, 6}), Shape({2, 3, 6, 5}));
  CheckMatMul(Shape({3, 4}), Shape({2, 4, 5}));
  CheckMatMul(Shape({2, 3, 4}), Shape({1, 4, 5}));
}

TEST_F(MatMulKernels, MultiplyNarrowFloats) {
  CheckMatMul(Shape({8, 16}), Shape({16, 8}), DType::kFloat16);
  CheckMatMul(Shape({8, 16}), Shape({16, 8}), DType::kBfloat16);
}

TEST_F(MatMulKernels, ConvertTheWeightsOfNarrowActivationsOnce) {
  config_.precision = Precision::kBfloat16;
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 64});
  const ValueId norm = b.Op("LayerNormalization", {x, b.Weights(Shape({64}))});
  const ValueId wide = b.Op("MatMul", {norm, b.Weights(Shape({64, 32}))});
  const ValueId active = b.Op("Gelu", {b.Op("Add", {wide, b.Weights(Shape({32}))})});
  const ValueId gemm = b.Op("Gemm", {active, b.Weights(Shape({32, 64})), b.Weights(Shape({64}))});
  const Graph graph = b.Build({b.Op("Add", {gemm, x})});
  const std::vector<Tensor> inputs = {RandomTensor(Shape({4, 64}))};
  ExpectSame(graph, inputs, 2e-2, 5e-2);
  const std::string dump = (*PlanOf(graph, inputs))->ToString();
  EXPECT_NE(dump.find("cuda:0 bfloat16[4,64]"), std::string::npos) << dump;
  EXPECT_NE(dump.find("cuda:0 bfloat16[4,32]"), std::string::npos) << dump;
  EXPECT_EQ(dump.find("Cast"), std::string::npos) << dump;
}

TEST_F(MatMulKernels, AddWhatGemmAdds) {
  for (const Shape& c : {Shape({6}), Shape({4, 6}), Shape({4, 1}), Shape(), Shape({1, 6})}) {
    for (const bool a_transposed : {false, true}) {
      for (const bool b_transposed : {false, true}) {
        CheckGemm(c, 1, 1, a_transposed, b_transposed);
        CheckGemm(c, 0.5f, 1, a_transposed, b_transposed);
      }
    }
  }
  CheckGemm(Shape({4, 6}), 2, 0.25f, false, false);
  CheckGemm(Shape({6}), 2, 0, false, false);
}

TEST_F(MatMulKernels, TakeABiasAResidualAndAReluAlong) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 8});
  const ValueId residual = b.Input("residual", {2, 3, 6});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({8, 6}))});
  const ValueId sum = b.Op("Add", {b.Op("Add", {product, b.Weights(Shape({6}))}), residual});
  const Graph graph = b.Build({b.Op("Relu", {sum})});
  const std::vector<Tensor> inputs = {RandomTensor(Shape({2, 3, 8})),
                                      RandomTensor(Shape({2, 3, 6}), 2)};
  ExpectSame(graph, inputs);
  const auto plan = PlanOf(graph, inputs);
  EXPECT_NE((*plan)->ToString().find("cublasLt+bias+residual+relu "), std::string::npos)
      << (*plan)->ToString();
}

TEST_F(MatMulKernels, GoOnWithStepsOfTheirOwn) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 8});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({8, 6}))});
  const ValueId gelu = b.Op("Gelu", {b.Op("Add", {product, b.Weights(Shape({6}))})});
  ExpectSame(b.Build({b.Op("Mul", {gelu, b.Scalar(0.5f)})}), {RandomTensor(Shape({4, 8}))});
}

}  // namespace
}  // namespace inferd
