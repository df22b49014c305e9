#include "engine/replicated_model.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"
#include "tests/support/fake_model.h"

namespace inferd {
namespace {

// Counts its runs; fails and is lost when told to.
struct Replica {
  std::atomic<int> runs{0};
  std::atomic<bool> dies{false};
  std::atomic<bool> lost{false};
  std::function<void()> during;
};

class ReplicaModel : public FakeModel {
 public:
  explicit ReplicaModel(Replica& replica)
      : FakeModel({FakeTensorInfo("X", DType::kFloat32, {-1, 2})},
                  {FakeTensorInfo("Y", DType::kFloat32, {-1, 2})}),
        replica_(replica) {
    set_run([this](absl::Span<const Tensor> inputs, std::vector<Tensor>* outputs) -> absl::Status {
      ++replica_.runs;
      if (replica_.during) replica_.during();
      if (replica_.dies) replica_.lost = true;
      if (replica_.lost) return absl::UnavailableError("the device is lost");
      outputs->assign(inputs.begin(), inputs.end());
      return absl::OkStatus();
    });
  }
  bool has_lost_device() const override { return replica_.lost; }

 private:
  Replica& replica_;
};

class ReplicatedModelTest : public ::testing::Test {
 protected:
  std::unique_ptr<Model> Make(int executions_per_device) {
    std::vector<std::unique_ptr<Model>> models;
    for (Replica& replica : replicas_) models.push_back(std::make_unique<ReplicaModel>(replica));
    return ReplicateModel(std::move(models), executions_per_device);
  }
  absl::Status Run(Model& model) {
    CoreSlot slot(1);
    std::vector<Tensor> outputs;
    return model.Run(slot, {&x_, 1}, &outputs);
  }

  const Tensor x_ = Tensor::FromValues<float>(Shape({1, 2}), {1, 2});
  Replica replicas_[2];
};

TEST_F(ReplicatedModelTest, RunsSideBySideOnItsDevices) {
  const auto model = Make(1);
  std::atomic<int> inside{0};
  // Each waits for the other.
  for (Replica& replica : replicas_) {
    replica.during = [&] {
      ++inside;
      while (inside < 2) std::this_thread::yield();
    };
  }
  std::thread other([&] { EXPECT_TRUE(Run(*model).ok()); });
  EXPECT_TRUE(Run(*model).ok());
  other.join();
  EXPECT_EQ(replicas_[0].runs, 1);
  EXPECT_EQ(replicas_[1].runs, 1);
}

TEST_F(ReplicatedModelTest, RunsOnceMoreElsewhereWhereADeviceIsLostOnTheWay) {
  const auto model = Make(0);
  replicas_[0].dies = true;
  EXPECT_TRUE(Run(*model).ok());
  EXPECT_EQ(replicas_[0].runs, 1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Run(*model).ok());
  EXPECT_EQ(replicas_[0].runs, 1);
  EXPECT_EQ(replicas_[1].runs, 4);
  EXPECT_FALSE(model->has_lost_device());
}

TEST_F(ReplicatedModelTest, SaysSoWhenAllItsDevicesAreLost) {
  const auto model = Make(0);
  for (Replica& replica : replicas_) replica.dies = true;
  EXPECT_EQ(Run(*model).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(model->has_lost_device());
}

}  // namespace
}  // namespace inferd
