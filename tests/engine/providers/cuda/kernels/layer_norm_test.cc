#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::RandomTensor;

class LayerNormKernels : public CudaProviderTest {};

TEST_F(LayerNormKernels, NormalizeRowsOfAnyLength) {
  for (const int64_t length : {5, 96, 129, 768, 4100}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 3, length});
    const ValueId scale = b.Weights(Shape({length}));
    const Graph graph =
        b.Build({b.Op("LayerNormalization", {x, scale, b.Weights(Shape({length}))}),
                 b.Op("LayerNormalization", {x, scale}), b.Op("RMSNormalization", {x, scale})});
    ExpectSame(graph, {RandomTensor(Shape({2, 3, length}))}, 1e-4, 1e-5);
  }
}

TEST_F(LayerNormKernels, NormalizeOverSeveralAxesAndAddAResidualBehind) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 8});
  const ValueId scale = b.Weights(Shape({3, 8}));
  const ValueId y = b.Op("LayerNormalization", {x, scale}, IntAttribute("axis", 1));
  ExpectSame(b.Build({b.Op("Add", {y, x})}), {RandomTensor(Shape({2, 3, 8}))}, 1e-4, 1e-5);
}

}  // namespace
}  // namespace inferd
