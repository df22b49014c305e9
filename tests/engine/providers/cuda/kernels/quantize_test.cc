#include <cmath>

#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::MakeAttributes;
using testing::RandomOf;
using testing::RandomTensor;
using testing::ValuesAs;

// Positive numbers around 0.05.
Tensor Scales(const Shape& shape, DType type) {
  std::vector<double> values;
  for (int64_t i = 0; i < shape.num_elements(); ++i) values.push_back(0.03 + 0.01 * (i % 7));
  return ValuesAs(type, shape, values);
}

// Small numbers that any quantized type has.
Tensor ZeroPoints(const Shape& shape, DType type) {
  std::vector<double> values;
  for (int64_t i = 0; i < shape.num_elements(); ++i) values.push_back(static_cast<double>(i % 2));
  return ValuesAs(type, shape, values);
}

class QuantizeKernels : public CudaProviderTest {
 protected:
  // x of this shape with scale and zero point of that one; `type` is the quantized one.
  void Check(const std::string& op, const Shape& x, const Shape& scale, DType type,
             const Attributes& attributes = {}, DType real = DType::kFloat32,
             bool zero_point = true) {
    SCOPED_TRACE(op + " to or from " + std::string(DTypeName(type)) + " of " + x.ToString() +
                 " by " + scale.ToString());
    const bool quantizes = op == "QuantizeLinear";
    const DType x_type = quantizes ? real : type;
    GraphBuilder b;
    std::vector<ValueId> ids = {b.Input("x", SymbolicShape(x), x_type),
                                b.Input("scale", SymbolicShape(scale), real)};
    std::vector<Tensor> inputs = {quantizes ? RandomOf(real, x) : ZeroPoints(x, type),
                                  Scales(scale, real)};
    if (zero_point) {
      ids.push_back(b.Input("zero", SymbolicShape(scale), type));
      inputs.push_back(ZeroPoints(scale, type));
    }
    ExpectSame(b.Build({b.Op(op, ids, attributes)}), inputs, 0, 0);
  }
};

TEST_F(QuantizeKernels, TakeOneScaleForAll) {
  for (const DType type :
       {DType::kInt8, DType::kUint8, DType::kInt16, DType::kUint16, DType::kInt4, DType::kUint4}) {
    Check("QuantizeLinear", Shape({3, 5, 67}), Shape(), type);
    Check("DequantizeLinear", Shape({3, 5, 67}), Shape(), type);
  }
  Check("DequantizeLinear", Shape({300}), Shape({1}), DType::kInt32);
  Check("QuantizeLinear", Shape({300}), Shape({1}), DType::kUint8, {}, DType::kFloat32, false);
}

TEST_F(QuantizeKernels, TakeFloatsOfEightBits) {
  for (const DType type : {DType::kFloat8E4m3fn, DType::kFloat8E5m2}) {
    for (const DType real : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
      for (const char* op : {"QuantizeLinear", "DequantizeLinear"}) {
        Check(op, Shape({3, 5, 67}), Shape(), type, {}, real);
        Check(op, Shape({3, 5, 67}), Shape({5}), type, {}, real);
        Check(op, Shape({3, 20, 7}), Shape({3, 5, 7}), type,
              MakeAttributes({{"axis", int64_t{1}}, {"block_size", int64_t{4}}}), real);
      }
    }
  }
}

TEST_F(QuantizeKernels, RoundFloatsOfEightBitsAndSaturateOrOverflow) {
  std::vector<double> values = {INFINITY, -INFINITY, NAN,     448,       464,     464.01,
                                -465,     57344,     61439,   6e4,       1e30,    -1e30,
                                0,        -0.0,      0x1p-10, 0x1.8p-10, 0x1p-17, 0x1.8p-17};
  for (int i = 0; i < 400; ++i) values.push_back((i % 2 == 0 ? 1 : -1) * std::exp2(i / 10.0 - 20));
  const Shape shape({static_cast<int64_t>(values.size())});
  const Tensor x = ValuesAs(DType::kFloat32, shape, values);
  for (const DType type : {DType::kFloat8E4m3fn, DType::kFloat8E5m2}) {
    for (const int64_t saturate : {0, 1}) {
      GraphBuilder b;
      const auto attributes =
          MakeAttributes({{"output_dtype", static_cast<int64_t>(type)}, {"saturate", saturate}});
      const ValueId y =
          b.Op("QuantizeLinear", {b.Input("x", SymbolicShape(shape)), b.Scalar(1)}, attributes);
      ExpectSame(b.Build({y}), {x}, 0, 0);
    }
  }
}

TEST_F(QuantizeKernels, TakeAScaleForEachSlice) {
  for (const int64_t axis : {0, 1, 2, -1}) {
    const Shape x({3, 5, 67});
    const Shape scale({x[static_cast<int>(axis < 0 ? 2 : axis)]});
    for (const char* op : {"QuantizeLinear", "DequantizeLinear"}) {
      Check(op, x, scale, DType::kInt8, MakeAttributes({{"axis", axis}}));
      Check(op, x, scale, DType::kUint8, MakeAttributes({{"axis", axis}}), DType::kFloat16);
    }
  }
}

TEST_F(QuantizeKernels, TakeAScaleForEachBlock) {
  for (const int64_t block : {4, 5}) {
    for (const char* op : {"QuantizeLinear", "DequantizeLinear"}) {
      Check(op, Shape({3, 20, 7}), Shape({3, 20 / block, 7}), DType::kInt8,
            MakeAttributes({{"axis", int64_t{1}}, {"block_size", block}}));
      Check(op, Shape({9, 18}), Shape({9, (18 + block - 1) / block}), DType::kUint8,
            MakeAttributes({{"axis", int64_t{1}}, {"block_size", block}}));
    }
  }
}

TEST_F(QuantizeKernels, ClampWhatIsOutOfRangeAndTakeNanForZero) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {80});
  const ValueId zero = b.Constant<int8_t>(Shape(), {5});
  const Graph graph = b.Build({b.Op("QuantizeLinear", {x, b.Scalar(0.5f), zero})});
  std::vector<double> values(80);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.25 * static_cast<double>(i);
  values[1] = INFINITY;
  values[2] = -INFINITY;
  values[3] = NAN;
  values[4] = 1e30;
  values[5] = -1e30;
  ExpectSame(graph, {ValuesAs(DType::kFloat32, Shape({80}), values)}, 0, 0);
}

TEST_F(QuantizeKernels, ReadImagesInEitherOrder) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 6, 9, 9});
  const ValueId image = b.Op("Conv", {x, b.Weights(Shape({6, 6, 3, 3}))});
  const ValueId scale = b.Constant<float>(Shape({6}), {0.5f, 0.6f, 0.7f, 0.8f, 0.9f, 1.0f});
  const ValueId zero = b.Constant<int8_t>(Shape({6}), {0, 1, 2, 3, 4, 5});
  const ValueId integers = b.Op("QuantizeLinear", {image, scale, zero});
  const ValueId back = b.Op("DequantizeLinear", {integers, scale, zero});
  const Graph graph =
      b.Build({b.Op("Relu", {b.Op("Conv", {back, b.Weights(Shape({4, 6, 3, 3}))})})});
  ExpectSame(graph, {RandomTensor(Shape({2, 6, 9, 9}))}, 1e-2, 1.0);
}

TEST_F(QuantizeKernels, FindTheRangeOfWhatTheyQuantize) {
  for (const Shape& shape : {Shape({1}), Shape({7, 13}), Shape({3, 30000})}) {
    for (const double shift : {0.0, 5.0, -5.0}) {
      GraphBuilder b;
      const ValueId x = b.Input("x", SymbolicShape(shape));
      const ValueId y = b.Op("DynamicQuantizeLinear", {x});
      Graph& g = b.graph();
      Node& node = g.node(0);
      const ValueId scale = g.AddValue("scale");
      const ValueId zero = g.AddValue("zero");
      node.outputs = {y, scale, zero};
      ASSERT_TRUE(InferNode(g, 0).ok());
      std::vector<double> values;
      for (const float value : RandomTensor(shape).values<float>()) values.push_back(value + shift);
      ExpectSame(b.Build({y, scale, zero}), {ValuesAs(DType::kFloat32, shape, values)}, 0, 0);
    }
  }
}

}  // namespace
}  // namespace inferd
