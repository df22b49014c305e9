#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::MakeAttributes;
using testing::RandomTensor;

using Ints = std::vector<int64_t>;

class PoolKernels : public CudaProviderTest {
 protected:
  void Check(const std::string& op, const Shape& shape, const Attributes& attributes) {
    SCOPED_TRACE(op);
    GraphBuilder b;
    const ValueId x = b.Input("x", SymbolicShape(shape));
    ExpectSame(b.Build({b.Op(op, {x}, attributes)}), {RandomTensor(shape)});
  }
};

TEST_F(PoolKernels, PoolInOneTwoAndThreeDimensions) {
  for (const char* op : {"MaxPool", "AveragePool"}) {
    Check(op, Shape({2, 3, 9}), MakeAttributes({{"kernel_shape", Ints{3}}}));
    Check(op, Shape({2, 3, 9, 8}),
          MakeAttributes({{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 3}}}));
    Check(op, Shape({1, 2, 5, 6, 4}), MakeAttributes({{"kernel_shape", Ints{2, 3, 2}}}));
  }
}

TEST_F(PoolKernels, CountPaddingAsTheyAreTold) {
  for (const int64_t count : {0, 1}) {
    for (const int64_t ceil : {0, 1}) {
      Check("AveragePool", Shape({1, 2, 7, 8}),
            MakeAttributes({{"kernel_shape", Ints{3, 3}},
                            {"strides", Ints{2, 3}},
                            {"pads", Ints{1, 0, 1, 2}},
                            {"ceil_mode", ceil},
                            {"count_include_pad", count}}));
    }
  }
}

TEST_F(PoolKernels, SkipDilatedTaps) {
  Check("MaxPool", Shape({1, 2, 9, 9}),
        MakeAttributes({{"kernel_shape", Ints{3, 2}}, {"dilations", Ints{2, 3}}}));
}

}  // namespace
}  // namespace inferd
