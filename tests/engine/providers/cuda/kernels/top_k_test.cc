#include <cmath>

#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::MakeAttributes;
using testing::RandomOf;
using testing::ValuesAs;

class TopKKernels : public CudaProviderTest {
 protected:
  // Values and indices of the k greatest and the k least.
  void Check(const Tensor& x, int64_t axis, int64_t k) {
    SCOPED_TRACE(x.TypeString() + " along " + std::to_string(axis) + ", k " + std::to_string(k));
    for (const int64_t largest : {0, 1}) {
      GraphBuilder b;
      const ValueId input = b.Input("x", SymbolicShape(x.shape()), x.dtype());
      const ValueId count = b.Constant<int64_t>(Shape({1}), {k});
      const ValueId values =
          b.Op("TopK", {input, count}, MakeAttributes({{"axis", axis}, {"largest", largest}}));
      Graph& g = b.graph();
      const ValueId indices = g.AddValue("indices");
      g.node(0).outputs = {values, indices};
      ASSERT_TRUE(InferNode(g, 0).ok());
      ExpectSame(b.Build({values, indices}), {x}, 0, 0);
    }
  }
};

TEST_F(TopKKernels, TakeAnyNumberAlongAnyAxis) {
  const Tensor x = RandomOf(DType::kFloat32, Shape({4, 9, 70}));
  for (const int64_t k : {1, 2, 4}) {
    for (const int64_t axis : {0, 1, 2, -2}) Check(x, axis, k);
  }
  Check(x, 1, 9);
  Check(x, 2, 69);
  Check(x, 2, 70);
}

TEST_F(TopKKernels, TakeElementsOfAnyNumericType) {
  for (const DType type : {DType::kFloat16, DType::kBfloat16, DType::kFloat64, DType::kInt32,
                           DType::kInt64, DType::kInt8, DType::kUint8}) {
    Check(RandomOf(type, Shape({3, 200})), -1, 17);
  }
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) values.push_back((i * 7919 % 211 - 100) * 1e6);
  Check(ValuesAs(DType::kInt32, Shape({2, 100}), values), -1, 12);
  Check(ValuesAs(DType::kInt64, Shape({2, 100}), values), -1, 12);
}

TEST_F(TopKKernels, KeepTheOrderOfEqualElements) {
  std::vector<double> values;
  for (int i = 0; i < 600; ++i) values.push_back(i * 31 % 4 - 1);
  for (int i = 0; i < 600; i += 9) values[i] = -0.0;
  const Tensor x = ValuesAs(DType::kFloat32, Shape({2, 300}), values);
  for (const int64_t k : {1, 40, 150, 299}) Check(x, 1, k);
}

TEST_F(TopKKernels, CountNanAsTheGreatest) {
  std::vector<double> values(90);
  for (int i = 0; i < 90; ++i) values[i] = i % 13 - 6;
  values[3] = values[50] = NAN;
  values[7] = INFINITY;
  values[8] = -INFINITY;
  Check(ValuesAs(DType::kFloat32, Shape({90}), values), 0, 5);
  Check(ValuesAs(DType::kFloat64, Shape({90}), values), 0, 90);
}

TEST_F(TopKKernels, TakeLinesLongerThanABlock) {
  Check(RandomOf(DType::kFloat32, Shape({2, 2000})), 1, 100);
  Check(RandomOf(DType::kInt32, Shape({9000})), 0, 3);
  // More than threads, equal ones among them, and no power of two.
  Check(RandomOf(DType::kInt32, Shape({4000})), 0, 2500);
  Check(RandomOf(DType::kFloat32, Shape({1100, 2})), 0, 1100);
}

}  // namespace
}  // namespace inferd
