#include "server/model/served_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "server/metrics/metrics_registry.h"
#include "tests/server/scheduler/request_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_model.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ServedModelTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<ServedModel>> Create(std::unique_ptr<FakeModel> model,
                                                      absl::string_view config = "") {
    model_ = model.get();
    const absl::StatusOr<ModelOptions> options = ParseModelOptions(config, "m");
    if (!options.ok()) return options.status();
    return ServedModel::Create("m", 2, std::move(model), *options,
                               {&slots_, &clock_, &registry_, nullptr, in_background_},
                               absl::Seconds(3));
  }
  std::string ErrorOf(ServedModel& model, const Shape& shape) {
    const size_t number = maker_.completions();
    model.Infer(maker_.Make(shape));
    maker_.Await(number + 1);
    return std::string(maker_.reply(number).status.message());
  }

  MetricsRegistry registry_;
  FakeClock clock_;
  RequestMaker maker_;
  CoreSlots slots_{1, 1};
  FakeModel* model_ = nullptr;
  bool in_background_ = false;
};

TEST_F(ServedModelTest, InfersAndCounts) {
  const auto served = Create(FakeModel::Identity()).value();
  served->Infer(maker_.Make({3, 2}, 4));
  maker_.Await(1);
  EXPECT_THAT(maker_.reply(0).shapes, ElementsAre(Shape{3, 2}));
  EXPECT_EQ(served->Statistics().inference_count, 3u);
  EXPECT_EQ(served->version_text(), "2");
  EXPECT_EQ(served->InputIndex("X"), 0);
  EXPECT_EQ(served->OutputIndex("X"), -1);
}

TEST_F(ServedModelTest, WarmsUpWithOneRow) {
  const auto served = Create(FakeModel::Identity()).value();
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}));
  EXPECT_EQ(served->Statistics().execution_count, 0u);
}

TEST_F(ServedModelTest, IsMadeInTheBackgroundWithoutASlot) {
  in_background_ = true;
  std::promise<void> made;
  slots_.Submit([done = made.get_future().share()](CoreSlot&) { done.wait(); });
  const auto served = Create(FakeModel::Identity()).value();
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}));
  made.set_value();
}

TEST_F(ServedModelTest, PreparesThePlansOfAnotherWithTheSameInputs) {
  const auto before = Create(FakeModel::Identity()).value();
  ASSERT_TRUE(model_->Prepare({Shape{3, 2}}).ok());
  ASSERT_TRUE(model_->Prepare({Shape{1, 2}}).ok());
  const auto after = Create(FakeModel::Identity()).value();
  after->PrepareLike(*before);
  EXPECT_EQ(model_->PreparedShapes(8),
            (std::vector<std::vector<Shape>>{{Shape{3, 2}}, {Shape{1, 2}}}));
  const std::vector<TensorInfo> other = {FakeTensorInfo("Z", DType::kFloat32, {-1, 2})};
  const auto unlike = Create(std::make_unique<FakeModel>(other, other)).value();
  unlike->PrepareLike(*before);
  EXPECT_THAT(model_->PreparedShapes(8), IsEmpty());
}

TEST_F(ServedModelTest, ServesAModelThatCannotBeWarmedUp) {
  auto model = FakeModel::Identity();
  model->set_run([](absl::Span<const Tensor>, std::vector<Tensor>*) {
    return absl::InvalidArgumentError("index 1 is out of range");
  });
  EXPECT_TRUE(Create(std::move(model)).ok());
}

TEST_F(ServedModelTest, BatchesWhatIsProvenAndSaysWhy) {
  const auto served = Create(FakeModel::Identity()).value();
  EXPECT_EQ(served->max_batch_size(), kDerivedMaxBatchSize);
  EXPECT_THAT(served->batching_reason(), HasSubstr("proven: every node keeps rows apart"));
  EXPECT_EQ(served->config().max_batch_size(), kDerivedMaxBatchSize);
  EXPECT_THAT(ServedModel::MetadataShape(served->inputs()[0]), ElementsAre(-1, 2));
}

TEST_F(ServedModelTest, RefusesRowsBeyondTheLimitNamingIt) {
  const auto served = Create(FakeModel::Identity(), "max_batch_size: 4").value();
  EXPECT_THAT(ErrorOf(*served, {5, 2}), HasSubstr("1 to 4"));
  EXPECT_THAT(ErrorOf(*served, {0, 2}), HasSubstr("1 to 4"));
  EXPECT_EQ(ErrorOf(*served, {4, 2}), "");
}

TEST_F(ServedModelTest, RefusesInputsWithDifferentRows) {
  auto model = std::make_unique<FakeModel>(
      std::vector<TensorInfo>{FakeTensorInfo("a", DType::kFloat32, {-1}),
                              FakeTensorInfo("b", DType::kFloat32, {-1})},
      std::vector<TensorInfo>{FakeTensorInfo("y", DType::kFloat32, {-1})});
  const auto served = Create(std::move(model)).value();
  auto request = maker_.Make({2});
  request->inputs.push_back(Tensor::FromValues<float>({3}, {1, 2, 3}));
  served->Infer(std::move(request));
  EXPECT_THAT(std::string(maker_.reply(0).status.message()), HasSubstr("expected 2 rows"));
  EXPECT_EQ(served->Statistics().fail.count, 1u);
  EXPECT_THAT(ErrorOf(*served, {2}), HasSubstr("expected 2 inputs, got 1"));
}

TEST_F(ServedModelTest, HoldsRequestsToTheConfiguredDims) {
  auto model = std::make_unique<FakeModel>(
      std::vector<TensorInfo>{FakeTensorInfo("x", DType::kFloat32, {-1, -1})},
      std::vector<TensorInfo>{FakeTensorInfo("y", DType::kFloat32, {-1, -1})});
  const auto served =
      Create(std::move(model), "max_batch_size: 4 input { name: \"x\" dims: 3 }").value();
  EXPECT_THAT(ServedModel::MetadataShape(served->inputs()[0]), ElementsAre(-1, 3));
  EXPECT_THAT(ErrorOf(*served, {1, 2}), HasSubstr("as configured"));
  EXPECT_EQ(ErrorOf(*served, {1, 3}), "");
}

TEST_F(ServedModelTest, LeavesOutOutputsThatTheProtocolCannotCarry) {
  TensorInfo map = FakeTensorInfo("probabilities", DType::kFloat32, {});
  map.type = ValueType::OfSequence(ValueType::OfTensor(DType::kFloat32, SymbolicShape()));
  auto model = std::make_unique<FakeModel>(
      std::vector<TensorInfo>{FakeTensorInfo("x", DType::kFloat32, {-1, 2})},
      std::vector<TensorInfo>{map, FakeTensorInfo("label", DType::kFloat32, {-1, 2})});
  model->set_run([](absl::Span<const Tensor> inputs, std::vector<Tensor>* outputs) {
    outputs->push_back(Tensor::Sequence({}));
    outputs->push_back(inputs[0]);
    return absl::OkStatus();
  });
  const auto served = Create(std::move(model)).value();
  ASSERT_EQ(served->outputs().size(), 1u);
  EXPECT_EQ(served->outputs()[0].name, "label");
  EXPECT_EQ(served->max_batch_size(), kDerivedMaxBatchSize);
  served->Infer(maker_.Make({1, 2}, 6));
  maker_.Await(1);
  EXPECT_THAT(maker_.reply(0).values, ElementsAre(6, 6));
}

TEST_F(ServedModelTest, RefusesInputsThatTheProtocolCannotCarry) {
  auto model = std::make_unique<FakeModel>(
      std::vector<TensorInfo>{FakeTensorInfo("x", DType::kComplex64, {-1})},
      std::vector<TensorInfo>{FakeTensorInfo("y", DType::kFloat32, {-1})});
  EXPECT_EQ(Create(std::move(model)).status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(ServedModelTest, MayBeLetGoByTheCompletionOfItsLastRequest) {
  auto served = Create(FakeModel::Identity()).value();
  auto* raw = served.get();
  auto request = maker_.Make({1, 2});
  auto finish = std::move(request->finish);
  request->finish = [held = std::move(served), finish = std::move(finish)]() mutable {
    held = nullptr;
    finish();
  };
  raw->Infer(std::move(request));
  maker_.Await(1);
  EXPECT_TRUE(maker_.reply(0).status.ok());
  slots_.RunAndWait([](CoreSlot&) {});
}

TEST_F(ServedModelTest, TakesItsMetricsWithIt) {
  auto served = Create(FakeModel::Identity()).value();
  const std::string text = registry_.Text();
  EXPECT_THAT(text, HasSubstr("nv_model_load_duration_secs{model=\"m\",version=\"2\"} 3"));
  EXPECT_THAT(text, HasSubstr("inferd_model_weight_bytes{model=\"m\",version=\"2\"} 1000"));
  served = nullptr;
  slots_.RunAndWait([](CoreSlot&) {});
  EXPECT_THAT(registry_.Text(), Not(HasSubstr("model=\"m\"")));
}

}  // namespace
}  // namespace inferd
