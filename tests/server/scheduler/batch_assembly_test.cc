#include "server/scheduler/batch_assembly.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;

InferRequest RequestOf(std::vector<Tensor> inputs) {
  InferRequest request;
  request.rows = inputs[0].dim(0);
  request.inputs = std::move(inputs);
  return request;
}

TEST(BatchAssembly, JoinsEveryInputOfEveryType) {
  const InferRequest a = RequestOf(
      {Tensor::FromValues<float>({1, 2}, {1, 2}), Tensor::FromValues<std::string>({1}, {"one"})});
  const InferRequest b = RequestOf({Tensor::FromValues<float>({2, 2}, {3, 4, 5, 6}),
                                    Tensor::FromValues<std::string>({2}, {"two", ""})});
  BatchAssembly assembly;
  std::vector<Tensor> joined;
  const InferRequest* requests[] = {&a, &b};
  ASSERT_TRUE(assembly.Join(requests, &joined).ok());
  EXPECT_EQ(joined[0].shape(), (Shape{3, 2}));
  EXPECT_THAT(joined[0].values<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(joined[1].values<std::string>(), ElementsAre("one", "two", ""));
}

TEST(BatchAssembly, ReusesItsBuffers) {
  const InferRequest a = RequestOf({Tensor::FromValues<float>({2, 2}, {1, 2, 3, 4})});
  const InferRequest b = RequestOf({Tensor::FromValues<float>({1, 2}, {5, 6})});
  BatchAssembly assembly;
  std::vector<Tensor> joined;
  const InferRequest* large[] = {&a, &a};
  ASSERT_TRUE(assembly.Join(large, &joined).ok());
  const void* memory = joined[0].raw();
  const InferRequest* small[] = {&b, &b};
  ASSERT_TRUE(assembly.Join(small, &joined).ok());
  EXPECT_EQ(joined[0].raw(), memory);
  EXPECT_THAT(joined[0].values<float>(), ElementsAre(5, 6, 5, 6));
}

TEST(BatchAssembly, JoinsRowsWithoutElements) {
  const InferRequest a = RequestOf({Tensor::FromValues<float>({1, 0}, {})});
  BatchAssembly assembly;
  std::vector<Tensor> joined;
  const InferRequest* requests[] = {&a, &a};
  ASSERT_TRUE(assembly.Join(requests, &joined).ok());
  EXPECT_EQ(joined[0].shape(), (Shape{2, 0}));
}

TEST(SliceRows, ViewsRowsWithoutCopying) {
  const Tensor tensor = Tensor::FromValues<std::string>({3, 1}, {"a", "b", "c"});
  const std::vector<Tensor> slices = SliceRows({tensor}, 1, 2);
  EXPECT_EQ(slices[0].shape(), (Shape{2, 1}));
  EXPECT_THAT(slices[0].values<std::string>(), ElementsAre("b", "c"));
  EXPECT_EQ(slices[0].raw(), tensor.data<std::string>() + 1);
}

TEST(CheckOutputRows, RefusesOutputsWithoutTheBatchRows) {
  const Tensor right = Tensor::FromValues<float>({2}, {1, 2});
  const Tensor scalar = Tensor::Scalar<float>(1);
  const Tensor channels_last =
      Tensor::Allocate(DType::kFloat32, {2, 3, 4}, Layout::kChannelsLast).value();
  EXPECT_TRUE(CheckOutputRows({right}, 2).ok());
  EXPECT_FALSE(CheckOutputRows({right}, 3).ok());
  EXPECT_FALSE(CheckOutputRows({right, scalar}, 2).ok());
  EXPECT_FALSE(CheckOutputRows({channels_last}, 2).ok());
  EXPECT_FALSE(CheckOutputRows({Tensor::Sequence({right})}, 2).ok());
}

}  // namespace
}  // namespace inferd
