#pragma once

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/passes/pass.h"
#include "engine/plan/binder.h"
#include "engine/plan/device_weights.h"
#include "engine/plan/plan_builder.h"
#include "engine/providers/device.h"
#include "engine/providers/provider_library.h"
#include "engine/runtime/executor.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/op_case.h"
#include "tests/support/run_graph.h"

namespace inferd::testing {

// The CUDA provider: over the emulated runtime or, with INFERD_TEST_PROVIDER=cuda, on a GPU. Tests
// skip where it does not answer. Runs graphs on it and on the portable kernels and compares.
class CudaProviderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* name = std::getenv("INFERD_TEST_PROVIDER");
    config_.disabled_passes = {"give_back_islands"};
    auto provider =
        LoadProvider(ProviderLibraryPath(name == nullptr ? "cuda_emulated" : name), config_);
    if (absl::IsUnavailable(provider.status())) GTEST_SKIP() << provider.status();
    ASSERT_TRUE(provider.ok()) << provider.status();
    providers_.push_back(*std::move(provider));
  }

  absl::StatusOr<std::shared_ptr<const Plan>> PlanOf(const Graph& graph,
                                                     const std::vector<Tensor>& inputs) {
    std::vector<Shape> shapes;
    for (const Tensor& input : inputs) shapes.push_back(input.shape());
    Graph bound = BindShapes(graph, shapes).value();
    auto passes = RunPasses(BoundPasses(), bound, {config_, providers_});
    if (!passes.ok()) return passes.status();
    PlanOptions options;
    options.providers = providers_;
    options.device_weights = &weights_;
    options.max_arena_bytes = int64_t{1} << 30;
    return BuildPlan(bound, options);
  }

  // Every step of the graph but copies runs on the device, three times, with the portable answers.
  void ExpectSame(const Graph& graph, const std::vector<Tensor>& inputs, double relative = 1e-5,
                  double absolute = 1e-6) {
    const std::vector<Tensor> expected = RunPortable(graph, inputs);
    const auto plan = PlanOf(graph, inputs);
    ASSERT_TRUE(plan.ok()) << plan.status();
    for (const Step& step : (*plan)->steps) {
      EXPECT_GE(step.device, 0) << step.op->name << " runs on " << step.provider;
    }
    Executor executor(*plan);
    CoreSlot slot(1);
    for (int run = 0; run < 4; ++run) {
      std::vector<Tensor> outputs;
      const absl::Status status = executor.Run(slot, inputs, &outputs);
      ASSERT_TRUE(status.ok()) << status;
      for (size_t i = 0; i < outputs.size(); ++i) {
        EXPECT_TRUE(TensorsAgree(expected[i], outputs[i], relative, absolute))
            << "output " << i << ", run " << run << "\n"
            << (*plan)->ToString();
      }
    }
  }

  EngineConfig config_;
  std::vector<std::unique_ptr<ExecutionProvider>> providers_;
  DeviceWeights weights_;
};

// Normal values stored as any float or integer type, the latter times ten.
inline Tensor RandomOf(DType dtype, const Shape& shape, int seed = 1) {
  const Tensor floats = RandomTensor(shape, seed);
  std::vector<double> values;
  for (const float value : floats.values<float>()) {
    const bool whole = dtype == DType::kInt32 || dtype == DType::kInt64 || dtype == DType::kInt8 ||
                       dtype == DType::kUint8;
    values.push_back(whole                   ? std::round(10 * std::abs(value))
                     : dtype == DType::kBool ? value > 0
                                             : value);
  }
  return ValuesAs(dtype, shape, values);
}

// {"axis", 1} as attributes.
inline Attributes IntAttribute(const std::string& name, int64_t value) {
  return MakeAttributes({{name, value}});
}

}  // namespace inferd::testing
