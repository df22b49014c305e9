#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::ValuesAs;

// Any of the values that the type has.
Tensor Bytes(DType type, const Shape& shape, int seed) {
  std::vector<double> values;
  uint32_t state = static_cast<uint32_t>(seed);
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    state = state * 1664525u + 1013904223u;
    values.push_back(static_cast<double>(state >> 24) - (type == DType::kInt8 ? 128 : 0));
  }
  return ValuesAs(type, shape, values);
}

Tensor Scales(const Shape& shape, DType type = DType::kFloat32) {
  std::vector<double> values;
  for (int64_t i = 0; i < shape.num_elements(); ++i) values.push_back(0.01 + 0.002 * (i % 5));
  return ValuesAs(type, shape, values);
}

constexpr DType kBytes[] = {DType::kInt8, DType::kUint8};

class IntegerMatMulKernels : public CudaProviderTest {
 protected:
  // A by a constant B; zero points of these shapes, absent where null.
  void CheckInteger(const Shape& a, DType a_type, const Shape& b, DType b_type, const Shape* a_zero,
                    const Shape* b_zero) {
    SCOPED_TRACE(a.ToString() + " " + std::string(DTypeName(a_type)) + " by " + b.ToString() + " " +
                 std::string(DTypeName(b_type)));
    GraphBuilder g;
    std::vector<ValueId> ids = {g.Input("a", SymbolicShape(a), a_type),
                                g.graph().AddConstant("", Bytes(b_type, b, 2))};
    std::vector<Tensor> inputs = {Bytes(a_type, a, 1)};
    if (a_zero != nullptr || b_zero != nullptr) ids.push_back(kNoValue);
    if (a_zero != nullptr) {
      ids[2] = g.Input("a_zero", SymbolicShape(*a_zero), a_type);
      inputs.push_back(Bytes(a_type, *a_zero, 3));
    }
    if (b_zero != nullptr) ids.push_back(g.graph().AddConstant("", Bytes(b_type, *b_zero, 4)));
    ExpectSame(g.Build({g.Op("MatMulInteger", ids)}), inputs, 0, 0);
  }

  // To floats of type `real`, with zero points for all rows and each column.
  void CheckReal(const Shape& a, DType a_type, const Shape& b, DType b_type, const Shape& of_rows,
                 const Shape& of_columns, bool bias, DType real = DType::kFloat32) {
    SCOPED_TRACE(a.ToString() + " " + std::string(DTypeName(a_type)) + " by " + b.ToString() + " " +
                 std::string(DTypeName(b_type)) + " to " + std::string(DTypeName(real)));
    GraphBuilder g;
    Graph& graph = g.graph();
    std::vector<ValueId> ids = {g.Input("a", SymbolicShape(a), a_type),
                                graph.AddConstant("", Bytes(b_type, b, 2)),
                                graph.AddConstant("", Scales(of_rows, real)),
                                graph.AddConstant("", Scales(of_columns, real)),
                                graph.AddConstant("", Bytes(a_type, Shape(), 3)),
                                graph.AddConstant("", Bytes(b_type, Shape({12}), 4))};
    if (bias) ids.push_back(graph.AddConstant("", Scales(Shape({12}), real)));
    const ValueId y = g.Op("MatMulIntegerToFloat", ids, {}, "com.microsoft");
    ExpectSame(g.Build({y}), {Bytes(a_type, a, 1)}, real == DType::kFloat16 ? 1e-3 : 1e-6, 0);
  }

  void CheckLinear(const Shape& a, DType a_type, const Shape& b, DType b_type, const Shape& of_rows,
                   const Shape& of_columns) {
    SCOPED_TRACE(a.ToString() + " " + std::string(DTypeName(a_type)) + " by " + b.ToString() + " " +
                 std::string(DTypeName(b_type)));
    GraphBuilder g;
    Graph& graph = g.graph();
    const std::vector<ValueId> ids = {
        g.Input("a", SymbolicShape(a), a_type),
        graph.AddConstant("", Scales(of_rows)),
        graph.AddConstant("", Bytes(a_type, of_rows, 3)),
        graph.AddConstant("", Bytes(b_type, b, 2)),
        graph.AddConstant("", Scales(of_columns)),
        graph.AddConstant("", Bytes(b_type, of_columns, 4)),
        graph.AddConstant("", ValuesAs(DType::kFloat32, Shape(), {7})),
        graph.AddConstant("", Bytes(a_type, Shape(), 5))};
    ExpectSame(g.Build({g.Op("QLinearMatMul", ids)}), {Bytes(a_type, a, 1)}, 0, 0);
  }
};

TEST_F(IntegerMatMulKernels, MultiplyBytesWithAnyZeroPoints) {
  const Shape one;
  const Shape rows({5});
  const Shape columns({12});
  for (const DType a_type : kBytes) {
    for (const DType b_type : kBytes) {
      const Shape a({5, 64});
      const Shape b({64, 12});
      CheckInteger(a, a_type, b, b_type, nullptr, nullptr);
      CheckInteger(a, a_type, b, b_type, &one, nullptr);
      CheckInteger(a, a_type, b, b_type, &one, &one);
      CheckInteger(a, a_type, b, b_type, nullptr, &columns);
      CheckInteger(a, a_type, b, b_type, &rows, &columns);
    }
  }
}

TEST_F(IntegerMatMulKernels, TakeStacksAsRows) {
  const Shape one;
  const Shape columns({8});
  CheckInteger(Shape({2, 3, 5, 36}), DType::kUint8, Shape({36, 8}), DType::kInt8, &one, &columns);
  CheckInteger(Shape({7, 1, 300}), DType::kInt8, Shape({300, 8}), DType::kUint8, &one, &columns);
}

TEST_F(IntegerMatMulKernels, ScaleAndQuantizeTheResult) {
  for (const DType a_type : kBytes) {
    for (const DType b_type : kBytes) {
      CheckLinear(Shape({5, 64}), a_type, Shape({64, 12}), b_type, Shape(), Shape());
      CheckLinear(Shape({5, 64}), a_type, Shape({64, 12}), b_type, Shape({5}), Shape({12}));
      CheckLinear(Shape({2, 5, 64}), a_type, Shape({64, 12}), b_type, Shape({1}), Shape({12}));
    }
  }
}

TEST_F(IntegerMatMulKernels, ScaleTheResultAndAddABias) {
  for (const DType a_type : kBytes) {
    for (const DType b_type : kBytes) {
      CheckReal(Shape({5, 64}), a_type, Shape({64, 12}), b_type, Shape(), Shape(), false);
      CheckReal(Shape({5, 64}), a_type, Shape({64, 12}), b_type, Shape({5}), Shape({12}), true);
      CheckReal(Shape({2, 5, 64}), a_type, Shape({64, 12}), b_type, Shape({1}), Shape({12}), true,
                DType::kFloat16);
    }
  }
}

TEST_F(IntegerMatMulKernels, ActivateTheResult) {
  GraphBuilder g;
  const ValueId a = g.Input("a", {5, 64}, DType::kInt8);
  const ValueId b = g.graph().AddConstant("", Bytes(DType::kInt8, Shape({64, 12}), 2));
  const ValueId y =
      g.Op("MatMulIntegerToFloat", {a, b, g.Scalar(0.01f), g.Scalar(0.001f)}, {}, "com.microsoft");
  const Graph graph = g.Build({g.Op("Sigmoid", {g.Op("Add", {y, g.Weights(Shape({12}))})})});
  const std::vector<Tensor> inputs = {Bytes(DType::kInt8, Shape({5, 64}), 1)};
  ExpectSame(graph, inputs);
  const auto plan = PlanOf(graph, inputs);
  ASSERT_TRUE(plan.ok()) << plan.status();
  for (const Step& step : (*plan)->steps) EXPECT_NE(step.op->name, "Sigmoid");
}

TEST_F(IntegerMatMulKernels, QuantizeActivationsOverTheirRange) {
  for (const DType b_type : kBytes) {
    for (const bool bias : {false, true}) {
      GraphBuilder g;
      const Shape shape({2, 5, 64});
      Graph& graph = g.graph();
      std::vector<ValueId> ids = {g.Input("a", SymbolicShape(shape)),
                                  graph.AddConstant("", Bytes(b_type, Shape({64, 12}), 2)),
                                  graph.AddConstant("", Scales(Shape({12}))),
                                  graph.AddConstant("", Bytes(b_type, Shape({12}), 4))};
      if (bias) ids.push_back(g.Weights(Shape({12})));
      const ValueId y = g.Op("DynamicQuantizeMatMul", ids, {}, "com.microsoft");
      ExpectSame(g.Build({y}), {RandomTensor(shape)});
    }
  }
}

TEST_F(IntegerMatMulKernels, LeaveShapesThatTheLibraryDoesNotTakeToOthers) {
  GraphBuilder g;
  const ValueId a = g.Input("a", {5, 6}, DType::kInt8);
  const ValueId odd = g.graph().AddConstant("", Bytes(DType::kInt8, Shape({6, 12}), 2));
  const Graph graph = g.Build({g.Op("MatMulInteger", {a, odd})});
  const std::vector<Tensor> inputs = {Bytes(DType::kInt8, Shape({5, 6}), 1)};
  const auto plan = PlanOf(graph, inputs);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)->steps[0].device, -1);
}

}  // namespace
}  // namespace inferd
