#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::RandomTensor;

class ReduceKernels : public CudaProviderTest {
 protected:
  void Check(const std::string& op, const Shape& shape, std::vector<int64_t> axes, int64_t keep) {
    SCOPED_TRACE(op);
    GraphBuilder b;
    const ValueId x = b.Input("x", SymbolicShape(shape));
    const auto count = static_cast<int64_t>(axes.size());
    const ValueId over = b.Constant<int64_t>(Shape({count}), std::move(axes));
    ExpectSame(b.Build({b.Op(op, {x, over}, IntAttribute("keepdims", keep))}),
               {RandomTensor(shape)}, 1e-4, 1e-5);
  }
};

TEST_F(ReduceKernels, ReduceOverAnyAxes) {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd",
                         "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"}) {
    Check(op, Shape({3, 4, 5}), {2}, 0);
    Check(op, Shape({3, 4, 5}), {0}, 1);
    Check(op, Shape({3, 4, 5}), {0, 2}, 0);
    Check(op, Shape({3, 4, 5}), {-2, -1}, 1);
  }
}

TEST_F(ReduceKernels, ReduceLongRowsByWholeBlocks) {
  for (const int64_t length : {64, 300, 5000}) Check("ReduceSum", Shape({3, length}), {1}, 0);
  Check("ReduceMax", Shape({400, 3}), {0}, 0);
}

TEST_F(ReduceKernels, ReduceAllAxesWithoutAList) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 5});
  ExpectSame(b.Build({b.Op("ReduceMean", {x})}), {RandomTensor(Shape({4, 5}))});
}

TEST_F(ReduceKernels, PoolWholePlanes) {
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 3, 7, 5});
    ExpectSame(b.Build({b.Op(op, {x})}), {RandomTensor(Shape({2, 3, 7, 5}))});
  }
}

}  // namespace
}  // namespace inferd
