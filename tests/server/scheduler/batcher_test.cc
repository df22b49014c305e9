#include "server/scheduler/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "server/tracing/request_trace.h"
#include "tests/server/scheduler/request_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_model.h"

namespace inferd {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BatcherTest : public ::testing::Test {
 protected:
  explicit BatcherTest(int slots = 1) : slots_(slots, 1) { options_.max_batch_size = 8; }
  ~BatcherTest() override {
    model_->Release();
    batcher_ = nullptr;
  }

  Batcher& batcher() {
    if (batcher_ == nullptr) {
      metrics_ = std::make_shared<ModelMetrics>(&registry_, "m", "1");
      batcher_ = std::make_shared<Batcher>(
          Batcher::Parts{"m/1", model_, {0}, &slots_, &clock_, metrics_, packs_}, options_);
    }
    return *batcher_;
  }

  // Occupies the slot with a first request, so that what follows has to queue.
  void OccupySlot() {
    model_->Hold();
    batcher().Enqueue(maker_.Make({1, 2}));
    model_->AwaitRuns(1);
  }

  MetricsRegistry registry_;
  FakeClock clock_;
  RequestMaker maker_;
  ModelOptions options_;
  std::shared_ptr<FakeModel> model_ = FakeModel::Identity();
  std::shared_ptr<ModelMetrics> metrics_;
  bool packs_ = false;
  CoreSlots slots_;
  std::shared_ptr<Batcher> batcher_;
};

TEST_F(BatcherTest, RunsALoneRequestAtOnce) {
  options_.max_queue_delay = absl::Seconds(10);
  batcher().Enqueue(maker_.Make({1, 2}, 5));
  maker_.Await(1);
  EXPECT_TRUE(maker_.reply(0).status.ok());
  EXPECT_THAT(maker_.reply(0).values, ElementsAre(5, 5));
}

TEST_F(BatcherTest, JoinsWhatQueuedWhileTheSlotWasBusyAndSplitsTheRows) {
  OccupySlot();
  batcher().Enqueue(maker_.Make({1, 2}, 1));
  batcher().Enqueue(maker_.Make({2, 2}, 2));
  batcher().Enqueue(maker_.Make({1, 2}, 3));
  model_->Release();
  maker_.Await(4);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{4, 2}));
  EXPECT_THAT(maker_.reply(1).values, ElementsAre(1, 1));
  EXPECT_THAT(maker_.reply(2).values, ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(maker_.reply(2).shapes, ElementsAre(Shape{2, 2}));
  EXPECT_THAT(maker_.reply(3).values, ElementsAre(3, 3));
}

TEST_F(BatcherTest, RunsSequencesOfDifferentLengthsTogetherWhereTheModelPacks) {
  packs_ = true;
  OccupySlot();
  batcher().Enqueue(maker_.Make({1, 2}, 1));
  batcher().Enqueue(maker_.Make({2, 3}, 2));
  model_->Release();
  maker_.Await(3);
  EXPECT_THAT(maker_.reply(1).values, ElementsAre(1, 1));
  EXPECT_THAT(maker_.reply(2).values, ElementsAre(2, 2, 2, 2, 2, 2));
  EXPECT_EQ(model_->packed_runs(), 1);
}

TEST_F(BatcherTest, JoinsSequencesOfOneLengthAsRowsEvenWhereTheModelPacks) {
  packs_ = true;
  OccupySlot();
  batcher().Enqueue(maker_.Make({1, 2}, 1));
  batcher().Enqueue(maker_.Make({1, 2}, 2));
  model_->Release();
  maker_.Await(3);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{2, 2}));
  EXPECT_EQ(model_->packed_runs(), 0);
}

TEST_F(BatcherTest, TracedRequestsOfABatchKnowEachOther) {
  OccupySlot();
  std::vector<RequestTrace> traces(2);
  std::vector<std::unique_ptr<InferRequest>> requests;
  for (int i = 0; i < 3; ++i) requests.push_back(maker_.Make({1, 2}));
  for (int i = 0; i < 2; ++i) {
    traces[i].context.span = NewSpanId();
    requests[i == 0 ? 0 : 2]->trace = &traces[i];
  }
  for (auto& request : requests) batcher().Enqueue(std::move(request));
  model_->Release();
  maker_.Await(4);
  ASSERT_NE(traces[0].batch, nullptr);
  EXPECT_EQ(traces[0].batch, traces[1].batch);
  EXPECT_TRUE(traces[0].is_first_of_batch);
  EXPECT_FALSE(traces[1].is_first_of_batch);
  ASSERT_EQ(traces[0].batch->requests.size(), 2u);
  EXPECT_EQ(traces[0].batch->requests[1].span, traces[1].context.span);
}

TEST_F(BatcherTest, NeverExceedsMaxBatchSize) {
  options_.max_batch_size = 3;
  OccupySlot();
  for (int i = 0; i < 4; ++i) batcher().Enqueue(maker_.Make({2, 2}));
  model_->Release();
  maker_.Await(5);
  EXPECT_THAT(model_->runs(),
              ElementsAre(Shape{1, 2}, Shape{2, 2}, Shape{2, 2}, Shape{2, 2}, Shape{2, 2}));
}

TEST_F(BatcherTest, RunsEveryRequestAloneWhenTheModelDoesNotBatch) {
  options_.max_batch_size = 0;
  OccupySlot();
  for (int i = 0; i < 3; ++i) batcher().Enqueue(maker_.Make({1, 2}));
  model_->Release();
  maker_.Await(4);
  EXPECT_EQ(model_->runs().size(), 4u);
}

TEST_F(BatcherTest, NeverMixesShapesInOneBatch) {
  OccupySlot();
  batcher().Enqueue(maker_.Make({1, 3}, 1));
  batcher().Enqueue(maker_.Make({1, 5}, 2));
  batcher().Enqueue(maker_.Make({1, 3}, 3));
  batcher().Enqueue(maker_.Make({1, 5}, 4));
  model_->Release();
  maker_.Await(5);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{2, 3}, Shape{2, 5}));
  EXPECT_THAT(maker_.reply(4).values, Each(4));
}

TEST_F(BatcherTest, RejectsWhenQueueIsFull) {
  options_.max_queue_requests = 2;
  OccupySlot();
  for (int i = 0; i < 3; ++i) batcher().Enqueue(maker_.Make({1, 2}));
  EXPECT_EQ(maker_.reply(3).status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(maker_.reply(3).status.message()), HasSubstr("2 requests"));
  model_->Release();
  maker_.Await(4);
  EXPECT_TRUE(maker_.reply(2).status.ok());
}

TEST_F(BatcherTest, MakesRoomInAFullQueueByDroppingCancelledRequests) {
  options_.max_queue_requests = 1;
  OccupySlot();
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  auto request = maker_.Make({1, 2});
  request->cancelled = cancelled;
  batcher().Enqueue(std::move(request));
  *cancelled = true;
  batcher().Enqueue(maker_.Make({1, 2}));
  EXPECT_EQ(maker_.reply(1).status.code(), absl::StatusCode::kCancelled);
  model_->Release();
  maker_.Await(3);
  EXPECT_TRUE(maker_.reply(2).status.ok());
}

TEST_F(BatcherTest, AnswersAnExpiredRequestWhileTheSlotIsStillBusy) {
  OccupySlot();
  auto request = maker_.Make({1, 2});
  request->deadline = clock_.Now() + absl::Milliseconds(50);
  batcher().Enqueue(std::move(request));
  clock_.Advance(absl::Milliseconds(49));
  EXPECT_FALSE(maker_.reply(1).finished);
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(maker_.reply(1).finished);
  EXPECT_EQ(maker_.reply(1).status.code(), absl::StatusCode::kDeadlineExceeded);
  model_->Release();
  maker_.Await(2);
  EXPECT_EQ(model_->runs().size(), 1u);
}

TEST_F(BatcherTest, RefusesARequestWhoseDeadlineHasPassed) {
  auto request = maker_.Make({1, 2});
  request->deadline = clock_.Now() - absl::Milliseconds(1);
  batcher().Enqueue(std::move(request));
  EXPECT_EQ(maker_.reply(0).status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(model_->runs().empty());
}

TEST_F(BatcherTest, HonoursTheQueueTimeoutOfTheRequestAndOfTheModel) {
  options_.default_queue_timeout = absl::Milliseconds(100);
  OccupySlot();
  auto hasty = maker_.Make({1, 2});
  hasty->queue_timeout = absl::Milliseconds(10);
  auto patient = maker_.Make({1, 2});
  patient->queue_timeout = absl::Seconds(10);
  batcher().Enqueue(std::move(patient));
  batcher().Enqueue(std::move(hasty));
  clock_.Advance(absl::Milliseconds(10));
  EXPECT_TRUE(maker_.reply(1).finished);
  EXPECT_FALSE(maker_.reply(2).finished);
  clock_.Advance(absl::Milliseconds(90));
  EXPECT_TRUE(maker_.reply(2).finished);
  EXPECT_THAT(std::string(maker_.reply(2).status.message()), HasSubstr("queue timeout"));
}

TEST_F(BatcherTest, KeepsFewAlarmsHoweverManyRequestsHaveDeadlines) {
  OccupySlot();
  for (int i = 0; i < 100; ++i) {
    auto request = maker_.Make({1, 2});
    request->deadline = clock_.Now() + absl::Hours(1) - absl::Seconds(i);
    batcher().Enqueue(std::move(request));
  }
  EXPECT_LE(clock_.pending(), 1u);
}

TEST_F(BatcherTest, DropsACancelledRequestWhenTheBatchIsFormed) {
  OccupySlot();
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  auto request = maker_.Make({1, 2});
  request->cancelled = cancelled;
  batcher().Enqueue(std::move(request));
  batcher().Enqueue(maker_.Make({1, 2}));
  *cancelled = true;
  model_->Release();
  maker_.Await(3);
  EXPECT_EQ(maker_.reply(1).status.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{1, 2}));
}

TEST_F(BatcherTest, RefusesWhileDrainingButFinishesWhatIsQueued) {
  OccupySlot();
  batcher().Enqueue(maker_.Make({1, 2}));
  batcher().Drain();
  batcher().Enqueue(maker_.Make({1, 2}));
  EXPECT_EQ(maker_.reply(2).status.code(), absl::StatusCode::kUnavailable);
  model_->Release();
  maker_.Await(3);
  EXPECT_TRUE(maker_.reply(1).status.ok());
}

TEST_F(BatcherTest, AnswersWhatIsQueuedWhenItIsClosed) {
  OccupySlot();
  batcher().Enqueue(maker_.Make({1, 2}));
  batcher().Close();
  EXPECT_EQ(maker_.reply(1).status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(BatcherTest, FailsOnlyTheGuiltyRequestOfABatch) {
  model_->set_run([](absl::Span<const Tensor> inputs, std::vector<Tensor>* outputs) {
    for (const float value : inputs[0].values<float>()) {
      if (value == 13) return absl::InvalidArgumentError("index 13 is out of range");
    }
    outputs->assign(inputs.begin(), inputs.end());
    return absl::OkStatus();
  });
  OccupySlot();
  for (const float value : {1, 13, 2}) batcher().Enqueue(maker_.Make({1, 2}, value));
  model_->Release();
  maker_.Await(4);
  EXPECT_THAT(maker_.reply(1).values, ElementsAre(1, 1));
  EXPECT_EQ(maker_.reply(2).status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(maker_.reply(2).status.message()), HasSubstr("index 13"));
  EXPECT_THAT(maker_.reply(3).values, ElementsAre(2, 2));
  EXPECT_EQ(maker_.completions(), 4u);
}

TEST_F(BatcherTest, StopsJoiningWhenOutputsDoNotKeepTheRows) {
  model_->set_run([](absl::Span<const Tensor>, std::vector<Tensor>* outputs) {
    outputs->push_back(Tensor::FromValues<float>({1}, {7}));
    return absl::OkStatus();
  });
  OccupySlot();
  for (int i = 0; i < 2; ++i) batcher().Enqueue(maker_.Make({1, 2}));
  model_->Release();
  maker_.Await(3);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{2, 2}, Shape{1, 2}, Shape{1, 2}));
  EXPECT_THAT(maker_.reply(1).values, ElementsAre(7));

  model_->Hold();
  for (int i = 0; i < 3; ++i) batcher().Enqueue(maker_.Make({1, 2}));
  model_->Release();
  maker_.Await(6);
  EXPECT_EQ(model_->runs().size(), 7u);
}

TEST_F(BatcherTest, TurnsAnExceptionIntoAnError) {
  model_->set_run([](absl::Span<const Tensor>, std::vector<Tensor>*) -> absl::Status {
    throw std::bad_alloc();
  });
  batcher().Enqueue(maker_.Make({1, 2}));
  maker_.Await(1);
  EXPECT_EQ(maker_.reply(0).status.code(), absl::StatusCode::kInternal);
}

TEST_F(BatcherTest, RunsUrgentRequestsFirst) {
  options_.max_batch_size = 1;
  options_.priority_levels = 2;
  options_.default_priority = 2;
  OccupySlot();
  std::vector<float> order;
  model_->set_run([&](absl::Span<const Tensor> inputs, std::vector<Tensor>* outputs) {
    order.push_back(inputs[0].data<float>()[0]);
    outputs->assign(inputs.begin(), inputs.end());
    return absl::OkStatus();
  });
  batcher().Enqueue(maker_.Make({1, 2}, 1));
  auto urgent = maker_.Make({1, 2}, 2);
  urgent->priority = 1;
  batcher().Enqueue(std::move(urgent));
  batcher().Enqueue(maker_.Make({1, 2}, 3));
  model_->Release();
  maker_.Await(4);
  EXPECT_THAT(order, ElementsAre(0, 2, 1, 3));
}

TEST_F(BatcherTest, CutsABatchAtAPreferredSizeWhileTheRestIsYoung) {
  options_.preferred_batch_sizes = {2, 4};
  options_.max_queue_delay = absl::Milliseconds(10);
  OccupySlot();
  for (int i = 0; i < 6; ++i) batcher().Enqueue(maker_.Make({1, 2}));
  model_->Release();
  maker_.Await(7);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{4, 2}, Shape{2, 2}));
}

TEST_F(BatcherTest, TakesAllWhenTheRestOfAPreferredSizeIsOld) {
  options_.preferred_batch_sizes = {2, 4};
  options_.max_queue_delay = absl::Milliseconds(10);
  OccupySlot();
  for (int i = 0; i < 6; ++i) batcher().Enqueue(maker_.Make({1, 2}));
  clock_.Advance(absl::Milliseconds(10));
  model_->Release();
  maker_.Await(7);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{6, 2}));
}

TEST_F(BatcherTest, LetsOthersWorkGoFirstWhileAYoungBatchMayGrow) {
  options_.max_queue_delay = absl::Milliseconds(10);
  OccupySlot();
  batcher().Enqueue(maker_.Make({1, 2}));
  bool other_ran_first = false;
  slots_.Submit([&](CoreSlot&) { other_ran_first = model_->runs().size() == 1; });
  model_->Release();
  maker_.Await(2);
  EXPECT_TRUE(other_ran_first);
}

TEST_F(BatcherTest, CountsRequestsAndExecutions) {
  OccupySlot();
  for (int i = 0; i < 3; ++i) batcher().Enqueue(maker_.Make({2, 2}));
  clock_.Advance(absl::Milliseconds(7));
  model_->Release();
  maker_.Await(4);
  const ModelStatistics statistics = metrics_->Snapshot();
  EXPECT_EQ(statistics.success.count, 4u);
  EXPECT_EQ(statistics.inference_count, 7u);
  EXPECT_EQ(statistics.execution_count, 2u);
  EXPECT_EQ(statistics.batches.at(6).compute_infer.count, 1u);
  EXPECT_EQ(statistics.batches.at(6).compute_output.count, 1u);
  EXPECT_EQ(statistics.queue.count, 4u);
  EXPECT_EQ(statistics.queue.total, absl::Milliseconds(21));
  EXPECT_EQ(statistics.last_inference, clock_.Now());
}

class TwoSlotBatcherTest : public BatcherTest {
 protected:
  TwoSlotBatcherTest() : BatcherTest(2) {
    while (slots_.unoccupied() < 2) std::this_thread::yield();
  }
};

TEST_F(TwoSlotBatcherTest, SpreadsRequestsOverIdleSlots) {
  model_->Hold();
  batcher().Enqueue(maker_.Make({1, 2}));
  batcher().Enqueue(maker_.Make({1, 2}));
  model_->AwaitRuns(2);
  EXPECT_THAT(model_->runs(), ElementsAre(Shape{1, 2}, Shape{1, 2}));
}

TEST_F(TwoSlotBatcherTest, AnswersEveryRequestOfManyThreadsExactlyOnce) {
  constexpr int kThreads = 4;
  constexpr int kRequests = 500;
  options_.max_queue_requests = kThreads * kRequests;
  batcher();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRequests; ++i) {
        auto request = maker_.Make({1 + i % 3, 2 + t % 2}, static_cast<float>(i));
        if (i % 7 == 0) request->deadline = clock_.Now() + absl::Milliseconds(i % 5);
        if (i % 11 == 0) request->cancelled = std::make_shared<std::atomic<bool>>(i % 2 == 0);
        batcher().Enqueue(std::move(request));
        if (i % 50 == 0) clock_.Advance(absl::Milliseconds(1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  maker_.Await(kThreads * kRequests);
  EXPECT_EQ(maker_.completions(), static_cast<size_t>(kThreads * kRequests));
  EXPECT_EQ(batcher().queued(), 0);
  for (int i = 0; i < kThreads * kRequests; ++i) {
    const Reply reply = maker_.reply(i);
    if (!reply.status.ok()) continue;
    EXPECT_THAT(reply.values, Each(reply.values[0]));
  }
}

}  // namespace
}  // namespace inferd
