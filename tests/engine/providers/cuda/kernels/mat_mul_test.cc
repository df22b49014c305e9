#include <algorithm>

#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::MakeAttributes;
using testing::RandomOf;
using testing::RandomTensor;
using testing::ValuesAs;

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

// Numbers whose products and sums no precision rounds.
Tensor SmallNumbers(DType type, const Shape& shape, int seed) {
  std::vector<double> values;
  auto state = static_cast<uint32_t>(seed);
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    state = state * 1664525u + 1013904223u;
    values.push_back(static_cast<double>((state >> 24) % 9) - 4);
  }
  return ValuesAs(type, shape, values);
}

Attributes ProductAttributes(DType output, bool transposed) {
  return MakeAttributes(
      {{"output_dtype", static_cast<int64_t>(output)}, {"transB", int64_t{transposed}}});
}

struct Types {
  DType a = DType::kFloat8E4m3fn;
  DType b = DType::kFloat8E4m3fn;
  DType output = DType::kFloat32;
};

class ScaledMatMulKernels : public CudaProviderTest {
 protected:
  // A by a constant B, scaled; then what `more` makes of the product.
  template <typename More>
  void Check(const Shape& a, const Shape& b, const Types& types, bool transposed, const More& more,
             std::vector<Tensor> inputs = {}) {
    SCOPED_TRACE(a.ToString() + " " + std::string(DTypeName(types.a)) + " by " + b.ToString() +
                 " " + std::string(DTypeName(types.b)) + " to " +
                 std::string(DTypeName(types.output)));
    GraphBuilder g;
    const ValueId left = g.Input("a", SymbolicShape(a), types.a);
    const ValueId right = g.graph().AddConstant("", SmallNumbers(types.b, b, 2));
    const ValueId y = g.Op("ScaledMatMul", {left, right, g.Scalar(0.5f), g.Scalar(0.25f)},
                           ProductAttributes(types.output, transposed), "inferd");
    const ValueId result = more(g, y);
    inputs.insert(inputs.begin(), SmallNumbers(types.a, a, 1));
    ExpectSame(g.Build({result}), inputs);
  }
  void Check(const Shape& a, const Shape& b, const Types& types, bool transposed = false) {
    Check(a, b, types, transposed, [](GraphBuilder&, ValueId y) { return y; });
  }

  // The operators of the steps, one after the other, but copies.
  std::vector<std::string> StepsOf(const Graph& graph, const std::vector<Tensor>& inputs) {
    const auto plan = PlanOf(graph, inputs);
    EXPECT_TRUE(plan.ok()) << plan.status();
    std::vector<std::string> names;
    for (const Step& step : (*plan)->steps) {
      if (step.op->name != "Copy") names.emplace_back(step.op->name);
    }
    return names;
  }
};

// What a quantizer writes: an activation and weights through 8-bit floats, and their product.
Graph QuantizedProduct(const Shape& x, const Shape& weights, DType real, DType quantized,
                       const std::string& op, const Attributes& attributes, bool bias) {
  GraphBuilder g;
  const ValueId x_scale = g.graph().AddConstant("", ValuesAs(real, Shape(), {0.25}));
  const ValueId w_scale = g.graph().AddConstant("", ValuesAs(real, Shape({1}), {0.125}));
  const ValueId zero = g.graph().AddConstant("", ValuesAs(quantized, Shape(), {0}));
  const ValueId in = g.Input("x", SymbolicShape(x), real);
  const ValueId rounded = g.Op("QuantizeLinear", {in, x_scale, zero});
  const ValueId left = g.Op("DequantizeLinear", {rounded, x_scale, zero});
  // As floats that are quantized in the model, or quantized before.
  const bool floats = op == "Gemm";
  ValueId stored = g.graph().AddConstant("", SmallNumbers(floats ? real : quantized, weights, 2));
  const ValueId w_zero = g.graph().AddConstant("", ValuesAs(quantized, Shape({1}), {0}));
  if (floats) stored = g.Op("QuantizeLinear", {stored, w_scale, w_zero});
  const ValueId right = g.Op("DequantizeLinear", {stored, w_scale});
  const int64_t columns = weights[attributes.Int("transB", 0) != 0 ? 0 : 1];
  const ValueId c = g.graph().AddConstant("", SmallNumbers(real, Shape({columns}), 3));
  std::vector<ValueId> ids = {left, right};
  if (bias && op == "Gemm") ids.push_back(c);
  ValueId y = g.Op(op, ids, attributes);
  if (bias && op != "Gemm") y = g.Op("Add", {y, c});
  return g.Build({y});
}

TEST_F(ScaledMatMulKernels, MultiplyEveryPairOfTypesThatTheLibraryTakes) {
  const DType e4m3 = DType::kFloat8E4m3fn;
  const DType e5m2 = DType::kFloat8E5m2;
  for (const DType output : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
    for (const auto& [a, b] : {std::pair(e4m3, e4m3), std::pair(e4m3, e5m2), std::pair(e5m2, e4m3)})
      for (const bool transposed : {false, true}) {
        const Shape right = transposed ? Shape({48, 64}) : Shape({64, 48});
        Check(Shape({5, 64}), right, {a, b, output}, transposed);
      }
  }
}

TEST_F(ScaledMatMulKernels, TakeRowsStacksAndStacksOfBoth) {
  Check(Shape({1, 16}), Shape({16, 16}), {});
  Check(Shape({2, 3, 5, 32}), Shape({32, 16}), {});
  Check(Shape({7, 1, 304}), Shape({1, 304, 32}), {});
  Check(Shape({3, 5, 32}), Shape({3, 32, 16}), {});
  Check(Shape({1, 5, 32}), Shape({3, 16, 32}), {}, true);
}

TEST_F(ScaledMatMulKernels, TakeABiasAResidualAndAnActivation) {
  for (const DType output : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
    const Types types = {.output = output};
    const auto bias = [&](GraphBuilder& g) {
      return g.graph().AddConstant("", SmallNumbers(output, Shape({48}), 3));
    };
    const auto biased = [&](GraphBuilder& g, ValueId y) {
      return g.Op("Relu", {g.Op("Add", {y, bias(g)})});
    };
    Check(Shape({5, 64}), Shape({64, 48}), types, false, biased);
    const auto residual = [&](GraphBuilder& g, ValueId y) {
      const ValueId x = g.Input("residual", {5, 48}, output);
      return g.Op("Add", {x, g.Op("Add", {y, bias(g)})});
    };
    Check(Shape({5, 64}), Shape({64, 48}), types, false, residual,
          {SmallNumbers(output, Shape({5, 48}), 4)});
    const auto activated = [&](GraphBuilder& g, ValueId y) { return g.Op("Sigmoid", {y}); };
    if (output == DType::kFloat32) Check(Shape({5, 64}), Shape({48, 64}), types, true, activated);
  }
}

TEST_F(ScaledMatMulKernels, RunWhatQuantizersWrite) {
  const DType e4m3 = DType::kFloat8E4m3fn;
  const Attributes transposed = MakeAttributes({{"transB", int64_t{1}}});
  for (const DType real : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
    const std::vector<Tensor> x = {SmallNumbers(real, Shape({5, 64}), 1)};
    for (const Graph& graph :
         {QuantizedProduct(Shape({5, 64}), Shape({64, 48}), real, e4m3, "MatMul", {}, true),
          QuantizedProduct(Shape({5, 64}), Shape({48, 64}), real, e4m3, "Gemm", transposed, true),
          QuantizedProduct(Shape({5, 64}), Shape({64, 48}), real, e4m3, "Gemm", {}, false)}) {
      ExpectSame(graph, x);
      const std::vector<std::string> steps = StepsOf(graph, x);
      EXPECT_EQ(std::count(steps.begin(), steps.end(), "ScaledMatMul"), 1);
      EXPECT_EQ(std::count(steps.begin(), steps.end(), "DequantizeLinear"), 0);
    }
  }
}

TEST_F(ScaledMatMulKernels, AgreeWithTheProductOfFloatsOnAnyNumbers) {
  const Shape x({33, 256});
  const Graph graph = QuantizedProduct(x, Shape({256, 64}), DType::kFloat32, DType::kFloat8E4m3fn,
                                       "MatMul", {}, true);
  ExpectSame(graph, {RandomTensor(x)}, 1e-3, 1e-2);
  config_.disabled_passes.push_back("fuse_scaled_products");
  ExpectSame(graph, {RandomTensor(x)}, 1e-3, 1e-2);
  const std::vector<std::string> steps = StepsOf(graph, {RandomTensor(x)});
  EXPECT_EQ(std::count(steps.begin(), steps.end(), "ScaledMatMul"), 0);
}

TEST_F(ScaledMatMulKernels, LeaveWhatTheLibraryDoesNotTakeToOtherProducts) {
  const DType e4m3 = DType::kFloat8E4m3fn;
  const auto scaled = [&](const Shape& x, const Shape& weights, DType quantized) {
    const Graph graph =
        QuantizedProduct(x, weights, DType::kFloat32, quantized, "MatMul", {}, true);
    const std::vector<Tensor> inputs = {SmallNumbers(DType::kFloat32, x, 1)};
    ExpectSame(graph, inputs);
    const std::vector<std::string> steps = StepsOf(graph, inputs);
    return std::count(steps.begin(), steps.end(), "ScaledMatMul");
  };
  EXPECT_EQ(scaled(Shape({3, 16}), Shape({16, 32}), e4m3), 1);
  EXPECT_EQ(scaled(Shape({3, 17}), Shape({17, 32}), e4m3), 0);
  EXPECT_EQ(scaled(Shape({3, 16}), Shape({16, 24}), e4m3), 0);
  EXPECT_EQ(scaled(Shape({3, 8}), Shape({8, 7}), e4m3), 0);
  EXPECT_EQ(scaled(Shape({3, 16}), Shape({16, 32}), DType::kFloat8E5m2), 0);
}

TEST_F(ScaledMatMulKernels, AreNotThereOnOlderDevices) {
  if (std::getenv("INFERD_TEST_PROVIDER") != nullptr) GTEST_SKIP() << "needs the emulated runtime";
  setenv("INFERD_EMULATED_CAPABILITY", "86", 1);
  auto provider = LoadProvider(ProviderLibraryPath("cuda_emulated"), config_);
  unsetenv("INFERD_EMULATED_CAPABILITY");
  ASSERT_TRUE(provider.ok()) << provider.status();
  providers_[0] = *std::move(provider);
  const Shape x({3, 16});
  const Graph graph = QuantizedProduct(x, Shape({16, 32}), DType::kFloat32, DType::kFloat8E4m3fn,
                                       "MatMul", {}, true);
  const std::vector<Tensor> inputs = {SmallNumbers(DType::kFloat32, x, 1)};
  ExpectSame(graph, inputs);
  const std::vector<std::string> steps = StepsOf(graph, inputs);
  EXPECT_EQ(std::count(steps.begin(), steps.end(), "ScaledMatMul"), 0);
}

}  // namespace
}  // namespace inferd
