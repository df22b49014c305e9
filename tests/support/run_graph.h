#pragma once

#include <random>
#include <vector>

#include "engine/plan/binder.h"
#include "engine/plan/plan_builder.h"
#include "engine/runtime/executor.h"
#include "gtest/gtest.h"

namespace inferd::testing {

// A float tensor with seeded normal values.
inline Tensor RandomTensor(const Shape& shape, int seed = 1) {
  Tensor tensor = Tensor::Allocate(DType::kFloat32, shape).value();
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < shape.num_elements(); ++i)
    tensor.mutable_data<float>()[i] = normal(random);
  return tensor;
}

// Binds the graph to the inputs' shapes and runs it by the portable kernels; copies of the outputs.
inline std::vector<Tensor> RunPortable(const Graph& graph, const std::vector<Tensor>& inputs) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  auto bound = BindShapes(graph, shapes);
  EXPECT_TRUE(bound.ok()) << bound.status();
  PlanOptions options;
  options.max_arena_bytes = int64_t{1} << 30;
  auto plan = BuildPlan(*bound, options);
  EXPECT_TRUE(plan.ok()) << plan.status();
  Executor executor(*plan);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status = executor.Run(slot, inputs, &outputs);
  EXPECT_TRUE(status.ok()) << status;
  for (Tensor& output : outputs) output = output.Clone().value();
  return outputs;
}

inline void ExpectNear(const Tensor& got, const Tensor& expected, float tolerance) {
  ASSERT_EQ(got.dtype(), expected.dtype());
  ASSERT_EQ(got.shape(), expected.shape());
  for (int64_t i = 0; i < got.num_elements(); ++i) {
    ASSERT_NEAR(got.data<float>()[i], expected.data<float>()[i], tolerance) << "at element " << i;
  }
}

}  // namespace inferd::testing
