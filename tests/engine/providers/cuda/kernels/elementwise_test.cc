#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::RandomOf;
using testing::RandomTensor;

// The interpreter, or kernels that are generated; on a GPU it is what the machine has.
class ElementwiseKernels : public CudaProviderTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      setenv("INFERD_EMULATED_NVRTC", "1", 1);
    } else {
      unsetenv("INFERD_EMULATED_NVRTC");
    }
    CudaProviderTest::SetUp();
  }
  void TearDown() override { unsetenv("INFERD_EMULATED_NVRTC"); }

  // op(x, y, ...) over inputs of these shapes and types.
  void Check(const std::string& op, const std::vector<Shape>& shapes,
             const std::vector<DType>& types = {}, const Attributes& attributes = {},
             const std::string& domain = "") {
    SCOPED_TRACE(op);
    GraphBuilder b;
    std::vector<ValueId> ids;
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < shapes.size(); ++i) {
      const DType type = types.empty() ? DType::kFloat32 : types[std::min(i, types.size() - 1)];
      inputs.push_back(RandomOf(type, shapes[i], static_cast<int>(i) + 1));
      ids.push_back(b.Input("x" + std::to_string(i), SymbolicShape(shapes[i]), type));
    }
    const bool narrow =
        !types.empty() && (types[0] == DType::kFloat16 || types[0] == DType::kBfloat16);
    ExpectSame(b.Build({b.Op(op, ids, attributes, domain)}), inputs, narrow ? 1e-2 : 1e-5,
               narrow ? 1e-2 : 1e-6);
  }
};

TEST_P(ElementwiseKernels, OfOneOperandGiveWhatThePortableOnesDo) {
  for (const char* op :
       {"Abs",       "Neg",   "Exp",   "Log",       "Sqrt",     "Reciprocal", "Sigmoid",
        "Tanh",      "Erf",   "Relu",  "LeakyRelu", "Elu",      "Selu",       "HardSigmoid",
        "HardSwish", "Swish", "Gelu",  "Mish",      "Softplus", "Softsign",   "ThresholdedRelu",
        "Floor",     "Ceil",  "Round", "Sign",      "Sin",      "Cos",        "IsNaN"}) {
    Check(op, {Shape({3, 5, 7})});
  }
  for (const char* op : {"Gelu", "QuickGelu", "FastGelu"}) {
    Check(op, {Shape({3, 5, 7})}, {}, {}, "com.microsoft");
  }
}

TEST_P(ElementwiseKernels, OfNarrowFloatsGiveWhatThePortableOnesDo) {
  for (const DType type : {DType::kFloat16, DType::kBfloat16}) {
    for (const char* op : {"Neg", "Sigmoid", "Gelu", "Relu"}) Check(op, {Shape({5, 9})}, {type});
    Check("Add", {Shape({4, 6}), Shape({6})}, {type});
  }
}

TEST_P(ElementwiseKernels, TakeTheNumbersOfTheirAttributes) {
  Check("LeakyRelu", {Shape({40})}, {}, testing::MakeAttributes({{"alpha", 0.3f}}));
  Check("HardSigmoid", {Shape({40})}, {},
        testing::MakeAttributes({{"alpha", 0.4f}, {"beta", 0.1f}}));
  Check("Gelu", {Shape({40})}, {}, testing::MakeAttributes({{"approximate", std::string("tanh")}}));
}

TEST_P(ElementwiseKernels, BroadcastTheirOperands) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "PRelu"}) {
    Check(op, {Shape({2, 3, 4}), Shape({4})});
    Check(op, {Shape({2, 3, 4}), Shape({3, 1})});
    Check(op, {Shape({2, 3, 4}), Shape({2, 1, 4})});
    Check(op, {Shape({2, 3, 4}), Shape()});
  }
  Check("Sub", {Shape(), Shape({2, 5})});
  Check("Div", {Shape({3, 1}), Shape({1, 7})});
  Check("Max", {Shape({3, 1}), Shape({1, 7}), Shape({2, 1, 1})});
}

TEST_P(ElementwiseKernels, BroadcastRowsOfEveryLength) {
  for (const int64_t inner : {1, 2, 4, 6, 8, 17}) {
    for (const DType type : {DType::kFloat32, DType::kFloat16}) {
      Check("Add", {Shape({3, 5, inner}), Shape({inner})}, {type});
      Check("Mul", {Shape({2, 1, inner}), Shape({2, 7, inner})}, {type});
    }
    Check("Sub", {Shape({4, inner}), Shape({4, 1})}, {DType::kFloat64});
    Check("Where", {Shape({3, 1, inner}), Shape({5, inner}), Shape({3, 5, 1})},
          {DType::kBool, DType::kFloat32, DType::kFloat32});
  }
  Check("Sum", {Shape({2, 3, 4}), Shape({3, 1}), Shape({4})});
  Check("Pow", {Shape({9}), Shape()}, {DType::kFloat32, DType::kInt32});
  for (const char* op : {"BiasGelu", "FastGelu"}) {
    Check(op, {Shape({3, 8}), Shape({8})}, {}, {}, "com.microsoft");
  }
}

// More sizes than there are kernels with constants for.
TEST_P(ElementwiseKernels, TakeManySizes) {
  for (const int64_t inner : {4, 8, 12, 16, 20, 28, 36}) {
    Check("Add", {Shape({3, 5, inner}), Shape({3, 1, inner})});
    Check("Sub", {Shape({inner + 3, 6}), Shape({inner + 3, 1})}, {DType::kFloat16});
    Check("Mul", {Shape({2, inner - 1, 7}), Shape({inner - 1, 1})});
    Check("Where", {Shape({3, 1, inner}), Shape({5, inner}), Shape({3, 5, 1})},
          {DType::kBool, DType::kFloat32, DType::kFloat32});
  }
}

TEST_P(ElementwiseKernels, TakeAnyNumberOfElements) {
  for (const int64_t elements : {1, 3, 8, 9, 255, 1023, 4099}) {
    for (const DType type : {DType::kFloat32, DType::kBfloat16, DType::kFloat64}) {
      Check("Relu", {Shape({elements})}, {type});
    }
    Check("Less", {Shape({elements}), Shape({elements})}, {DType::kFloat16});
    Check("Abs", {Shape({elements})}, {DType::kInt8});
  }
}

TEST_P(ElementwiseKernels, ComputeIntegersExactly) {
  for (const char* op : {"Add", "Sub", "Mul", "Min", "Max"}) {
    Check(op, {Shape({70}), Shape({70})}, {DType::kInt64});
    Check(op, {Shape({70}), Shape({70})}, {DType::kInt32});
  }
  for (const char* op : {"Abs", "Neg", "Relu", "Sign"}) {
    Check(op, {Shape({70})}, {DType::kInt64});
    Check(op, {Shape({70})}, {DType::kInt8});
  }
}

TEST_P(ElementwiseKernels, CompareAndSelect) {
  for (const char* op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    Check(op, {Shape({8, 9}), Shape({9})});
    Check(op, {Shape({8, 9}), Shape({9})}, {DType::kInt64});
  }
  for (const char* op : {"And", "Or", "Xor"}) {
    Check(op, {Shape({8, 9}), Shape({9})}, {DType::kBool});
  }
  Check("Not", {Shape({80})}, {DType::kBool});
  Check("Where", {Shape({8, 9}), Shape({9}), Shape({8, 1})},
        {DType::kBool, DType::kFloat32, DType::kFloat32});
  Check("Where", {Shape({8, 9}), Shape({9}), Shape({8, 1})},
        {DType::kBool, DType::kInt64, DType::kInt64});
}

TEST_P(ElementwiseKernels, CastBetweenTypes) {
  for (const DType from : {DType::kFloat32, DType::kFloat16, DType::kInt64, DType::kBool}) {
    for (const DType to : {DType::kFloat32, DType::kFloat16, DType::kBfloat16, DType::kInt32,
                           DType::kInt64, DType::kBool}) {
      Check("Cast", {Shape({90})}, {from}, IntAttribute("to", static_cast<int64_t>(to)));
    }
  }
}

TEST_P(ElementwiseKernels, RunANodeWithItsReadersAsOne) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const ValueId y = b.Input("y", {4, 6});
  const Graph graph = b.Build({b.Op("Relu", {b.Op("Sub", {x, y})})});
  const std::vector<Tensor> inputs = {RandomTensor(Shape({4, 6})), RandomTensor(Shape({4, 6}), 2)};
  ExpectSame(graph, inputs);
  // Two copies in, one kernel, one copy out.
  EXPECT_EQ((*PlanOf(graph, inputs))->steps.size(), 4u);
}

TEST_P(ElementwiseKernels, RunStepsWhoseOperandComesFirst) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const ValueId y = b.Input("y", {4, 6});
  const ValueId sum = b.Op("Add", {b.Op("Mul", {x, b.Scalar(3)}), y});
  const Graph graph = b.Build({b.Op("Sub", {b.Scalar(1), b.Op("Relu", {sum})})});
  ExpectSame(graph, {RandomTensor(Shape({4, 6})), RandomTensor(Shape({4, 6}), 2)});
}

TEST_P(ElementwiseKernels, ClampBetweenBoundsOfWhichOneMayBeAbsent) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {50});
  const Graph graph =
      b.Build({b.Op("Clip", {x, b.Scalar(-0.5f), b.Scalar(0.5f)}),
               b.Op("Clip", {x, kNoValue, b.Scalar(0.1f)}), b.Op("Clip", {x, b.Scalar(0)})});
  ExpectSame(graph, {RandomTensor(Shape({50}))});
}

TEST_P(ElementwiseKernels, TakeMoreElementsThanAGridHasThreads) {
  Check("Add", {Shape({3, 50000}), Shape({3, 1})});
}

INSTANTIATE_TEST_SUITE_P(InterpretedAndGenerated, ElementwiseKernels, ::testing::Bool());

}  // namespace
}  // namespace inferd
