#include "engine/runtime/kernel_tuner.h"

#include <map>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using testing::GraphBuilder;
using ::testing::HasSubstr;

// Writes one number everywhere, after a while.
class SlowFill : public BoundKernel {
 public:
  SlowFill(std::string name, float value, absl::Duration time)
      : name_(std::move(name)), value_(value), time_(time) {}
  absl::Status Run(const StepContext& context) const override {
    for (const absl::Time end = absl::Now() + time_; absl::Now() < end;) {
    }
    Tensor& output = *context.outputs[0];
    std::fill_n(output.mutable_data<float>(), output.num_elements(), value_);
    return absl::OkStatus();
  }
  std::string description() const override { return name_; }

 private:
  const std::string name_;
  const float value_;
  const absl::Duration time_;
};

struct Way {
  float value = 1;
  absl::Duration time;
  absl::Status status;
};

// Runs products in the ways given, in their order.
class WaysProvider : public ExecutionProvider {
 public:
  explicit WaysProvider(std::vector<std::pair<std::string, Way>> ways) : ways_(std::move(ways)) {}
  absl::string_view name() const override { return "ways"; }
  bool Supports(const Graph&, const Node& node) const override { return node.op->name == "MatMul"; }
  LayoutPreference Layouts(const Graph&, const Node&) const override {
    return LayoutPreference::kRowMajor;
  }
  std::vector<std::string> Candidates(const Graph&, const Node&) const override {
    std::vector<std::string> names;
    for (const auto& [name, way] : ways_) names.push_back(name);
    return names;
  }
  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph&, const Node&,
                                                       const PrepareContext& context) override {
    for (const auto& [name, way] : ways_) {
      if (name != context.candidate) continue;
      if (!way.status.ok()) return way.status;
      return std::make_unique<SlowFill>(name, way.value, way.time);
    }
    return absl::NotFoundError("no such way");
  }

 private:
  const std::vector<std::pair<std::string, Way>> ways_;
};

class KernelTunerTest : public ::testing::Test {
 protected:
  // A product of 2x3 by 3x4, `count` of them one after the other's sibling.
  static Graph Products(std::vector<int64_t> rows) {
    GraphBuilder b;
    std::vector<ValueId> outputs;
    for (size_t i = 0; i < rows.size(); ++i) {
      const ValueId x = b.Input("x" + std::to_string(i), Shape({rows[i], 3}));
      outputs.push_back(b.Op("MatMul", {x, b.Weights(Shape({3, 4}))}));
    }
    return b.Build(outputs);
  }

  absl::StatusOr<std::vector<TunedStep>> Tune(std::vector<std::pair<std::string, Way>> ways,
                                              std::vector<int64_t> rows = {2}) {
    providers_.clear();
    providers_.push_back(std::make_unique<WaysProvider>(std::move(ways)));
    KernelTuner tuner({providers_, &choices_, &slots_, [this] { return stop_; }, 1});
    return tuner.Tune(Products(std::move(rows)), &budget_);
  }

  std::vector<std::unique_ptr<ExecutionProvider>> providers_;
  KernelChoices choices_;
  CoreSlots slots_{1, 1};
  absl::Duration budget_ = absl::Seconds(100);
  bool stop_ = false;
};

constexpr absl::Duration kSlow = absl::Milliseconds(4);
constexpr absl::Duration kQuick = absl::Microseconds(100);

TEST_F(KernelTunerTest, ChoosesAFasterWay) {
  const auto steps = Tune({{"own", {1, kSlow}}, {"other", {1, kQuick}}}).value();
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].chosen, "other");
  EXPECT_TRUE(steps[0].changed);
  EXPECT_LT(budget_, absl::Seconds(100));
  const Graph graph = Products({2});
  EXPECT_EQ(choices_.Find(StepKey(graph, graph.node(0), "ways", 1)), "other");
  EXPECT_THAT(TuningSummary(steps, absl::Seconds(1)),
              HasSubstr("1 steps measured in 1.00 s, 1 of them"));
  EXPECT_THAT(TuningTable(steps), HasSubstr("node 'MatMul0' (MatMul): other "));
}

TEST_F(KernelTunerTest, KeepsTheProvidersOwnWayWhenOthersAreSlower) {
  const auto steps = Tune({{"own", {1, kQuick}}, {"other", {1, kSlow}}}).value();
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].chosen, "own");
  EXPECT_FALSE(steps[0].changed);
  EXPECT_EQ(TuningTable(steps), "");
}

TEST_F(KernelTunerTest, NeverChoosesAWayWithOtherResults) {
  const auto steps = Tune({{"own", {1, kSlow}},
                           {"wrong", {1.01f, kQuick}},
                           {"nan", {NAN, kQuick}},
                           {"unable", {1, kQuick, absl::UnimplementedError("no")}}})
                         .value();
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].chosen, "own");
}

TEST_F(KernelTunerTest, MeasuresEqualStepsOnceAndKnownOnesNotAtAll) {
  const std::vector<std::pair<std::string, Way>> ways = {{"own", {1, kQuick}},
                                                         {"other", {1, kQuick}}};
  EXPECT_EQ(Tune(ways, {2, 2, 5}).value().size(), 2u);
  EXPECT_EQ(Tune(ways, {2, 5, 6}).value().size(), 1u);
}

TEST_F(KernelTunerTest, BeginsNoStepOnceTheBudgetIsUsedUp) {
  budget_ = absl::Milliseconds(1);
  const auto steps = Tune({{"own", {1, kSlow}}, {"other", {1, kSlow}}}, {2, 3, 4}).value();
  EXPECT_EQ(steps.size(), 1u);
  EXPECT_LT(budget_, absl::ZeroDuration());
}

TEST_F(KernelTunerTest, EndsWithoutAChoiceWhenStopped) {
  stop_ = true;
  EXPECT_TRUE(Tune({{"own", {1, kSlow}}, {"other", {1, kQuick}}}).value().empty());
  EXPECT_TRUE(choices_.empty());
}

TEST_F(KernelTunerTest, NamesTheStepThatCannotBePrepared) {
  const auto steps =
      Tune({{"own", {1, kQuick, absl::InternalError("broken")}}, {"other", {1, kQuick}}});
  EXPECT_THAT(std::string(steps.status().message()),
              HasSubstr("measuring node 'MatMul0' (MatMul): broken"));
}

}  // namespace
}  // namespace inferd
