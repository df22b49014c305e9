#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::RandomOf;

class SoftmaxKernels : public CudaProviderTest {
 protected:
  void Check(const std::string& op, const Shape& shape, int64_t axis,
             DType type = DType::kFloat32) {
    GraphBuilder b;
    const ValueId x = b.Input("x", SymbolicShape(shape), type);
    const double tolerance = type == DType::kFloat32 ? 1e-5 : 1e-2;
    ExpectSame(b.Build({b.Op(op, {x}, IntAttribute("axis", axis))}), {RandomOf(type, shape)},
               tolerance, tolerance);
  }
};

TEST_F(SoftmaxKernels, WorkAlongAnyAxis) {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    for (const int64_t axis : {-1, 0, 1}) Check(op, Shape({3, 7, 5}), axis);
  }
}

TEST_F(SoftmaxKernels, TakeRowsOfAnyLength) {
  for (const int64_t length : {1, 31, 33, 128, 200, 513, 5000}) {
    Check("Softmax", Shape({2, length}), -1);
  }
}

TEST_F(SoftmaxKernels, TakeNarrowFloats) {
  for (const DType type : {DType::kFloat16, DType::kBfloat16})
    Check("Softmax", Shape({4, 40}), -1, type);
}

}  // namespace
}  // namespace inferd
