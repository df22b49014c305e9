#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

using Integers = std::vector<int64_t>;

// Two trees of three nodes over three features: x[0] <= 0.5 and x[2] <= -0.25.
Attributes Trees() {
  Attributes attributes;
  attributes.Set("nodes_treeids", Integers{0, 0, 0, 1, 1, 1});
  attributes.Set("nodes_nodeids", Integers{0, 1, 2, 0, 1, 2});
  attributes.Set("nodes_featureids", Integers{0, 0, 0, 2, 0, 0});
  attributes.Set("nodes_modes", std::vector<std::string>{"BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ",
                                                         "LEAF", "LEAF"});
  attributes.Set("nodes_values", std::vector<float>{0.5f, 0, 0, -0.25f, 0, 0});
  attributes.Set("nodes_truenodeids", Integers{1, 0, 0, 1, 0, 0});
  attributes.Set("nodes_falsenodeids", Integers{2, 0, 0, 2, 0, 0});
  return attributes;
}

TEST(TreeEnsembleKernels, ClassifyLikeThePortableKernel) {
  for (const char* transform : {"NONE", "SOFTMAX", "LOGISTIC"}) {
    KernelCase test{.op = "TreeEnsembleClassifier",
                    .inputs = {Activation(RandomFloats({37, 3}))},
                    .attributes = Trees(),
                    .domain = "ai.onnx.ml",
                    .num_outputs = 2};
    test.attributes.Set("class_treeids", Integers{0, 0, 1, 1});
    test.attributes.Set("class_nodeids", Integers{1, 2, 1, 2});
    test.attributes.Set("class_ids", Integers{0, 1, 2, 0});
    test.attributes.Set("class_weights", std::vector<float>{1.0f, 0.5f, 0.75f, 0.25f});
    test.attributes.Set("classlabels_int64s", Integers{10, 20, 30});
    test.attributes.Set("post_transform", std::string(transform));
    ExpectAgrees(test);
  }
}

TEST(TreeEnsembleKernels, RegressLikeThePortableKernel) {
  KernelCase test{.op = "TreeEnsembleRegressor",
                  .inputs = {Activation(RandomFloats({37, 3}))},
                  .attributes = Trees(),
                  .domain = "ai.onnx.ml"};
  test.attributes.Set("target_treeids", Integers{0, 0, 1, 1});
  test.attributes.Set("target_nodeids", Integers{1, 2, 1, 2});
  test.attributes.Set("target_ids", Integers{0, 0, 0, 0});
  test.attributes.Set("target_weights", std::vector<float>{1.0f, 0.5f, 0.75f, 0.25f});
  test.attributes.Set("n_targets", int64_t{1});
  ExpectAgrees(test);
}

TEST(TreeEnsembleKernels, RefuseBrokenTreesWhenPrepared) {
  KernelCase test{.op = "TreeEnsembleRegressor",
                  .inputs = {Activation(RandomFloats({3, 3}))},
                  .attributes = Trees(),
                  .domain = "ai.onnx.ml"};
  test.attributes.Set("n_targets", int64_t{1});
  test.attributes.Set("nodes_truenodeids", Integers{7, 0, 0, 1, 0, 0});
  EXPECT_EQ(RunCase(test).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace inferd::cpu
