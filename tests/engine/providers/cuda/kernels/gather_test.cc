#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::RandomTensor;

class GatherKernels : public CudaProviderTest {};

TEST_F(GatherKernels, PickRowsAlongAnyAxis) {
  for (const int64_t axis : {0, 1, 2}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {5, 6, 8});
    const ValueId indices = b.Input("indices", {2, 2}, DType::kInt64);
    ExpectSame(b.Build({b.Op("Gather", {x, indices}, IntAttribute("axis", axis))}),
               {RandomTensor(Shape({5, 6, 8})),
                Tensor::FromValues<int64_t>(Shape({2, 2}), {0, -1, 4, -5})});
  }
}

TEST_F(GatherKernels, TakeNarrowIndicesAndRowsOfOddLength) {
  GraphBuilder b;
  const ValueId indices = b.Input("indices", {3}, DType::kInt32);
  const ValueId table = b.Weights(Shape({10, 7}));
  ExpectSame(b.Build({b.Op("Gather", {table, indices})}),
             {Tensor::FromValues<int32_t>(Shape({3}), {9, 0, -10})});
}

TEST_F(GatherKernels, RefuseIndicesOutOfRangeAndGoOn) {
  GraphBuilder b;
  const ValueId indices = b.Input("indices", {70}, DType::kInt64);
  const Graph graph = b.Build({b.Op("Gather", {b.Weights(Shape({4, 3})), indices})});
  Tensor good = Tensor::Allocate(DType::kInt64, Shape({70})).value();
  std::fill_n(good.mutable_data<int64_t>(), 70, 1);
  Tensor bad = good.Clone().value();
  bad.mutable_data<int64_t>()[69] = 4;
  const auto plan = PlanOf(graph, {good});
  ASSERT_TRUE(plan.ok()) << plan.status();
  Executor executor(*plan);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status = executor.Run(slot, {bad}, &outputs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_TRUE(executor.Run(slot, {good}, &outputs).ok());
}

}  // namespace
}  // namespace inferd
