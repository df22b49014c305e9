#include "engine/ops/op_cost.h"

#include "engine/ops/op_registry.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

// A float tensor without data; an empty list of dimensions stands for an absent one.
Tensor Floats(std::vector<int64_t> dims) {
  return dims.empty() ? Tensor() : Tensor::View(DType::kFloat32, Shape(dims), nullptr);
}

struct Case {
  std::string domain;
  std::string op;
  std::vector<std::vector<int64_t>> inputs;
  std::vector<std::vector<int64_t>> outputs;
  double flops = 0;
  Attributes attributes;
};

std::vector<Tensor> Tensors(const std::vector<std::vector<int64_t>>& dims) {
  std::vector<Tensor> tensors;
  for (const std::vector<int64_t>& one : dims) tensors.push_back(Floats(one));
  return tensors;
}

double FlopsOf(const Case& c) {
  const OpDef& op = OpRegistry::Builtin().Get(c.domain, c.op);
  std::vector<Tensor> inputs = Tensors(c.inputs);
  std::vector<Tensor> outputs = Tensors(c.outputs);
  std::vector<const Tensor*> input_pointers;
  std::vector<Tensor*> output_pointers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    input_pointers.push_back(c.inputs[i].empty() ? nullptr : &inputs[i]);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    output_pointers.push_back(c.outputs[i].empty() ? nullptr : &outputs[i]);
  }
  return OpFlops({op, c.attributes, static_cast<int>(c.inputs.size()), input_pointers,
                  absl::MakeSpan(output_pointers)});
}

TEST(OpCost, CountsAMultiplicationAndAnAdditionForEveryTermOfASum) {
  Attributes transposed;
  transposed.Set("transA", int64_t{1});
  const Case cases[] = {
      {"", "MatMul", {{2, 3, 5}, {5, 7}}, {{2, 3, 7}}, 2.0 * 2 * 3 * 7 * 5, {}},
      {"", "MatMul", {{5}, {5}}, {{1}}, 2.0 * 5, {}},
      {"", "Gemm", {{5, 3}, {5, 7}}, {{3, 7}}, 2.0 * 3 * 7 * 5, transposed},
      {"", "Conv", {{1, 4, 9, 9}, {6, 2, 3, 3}}, {{1, 6, 7, 7}}, 2.0 * 6 * 49 * 2 * 9, {}},
      {"", "ConvTranspose", {{1, 4, 5, 5}, {4, 6, 2, 2}}, {{1, 6, 10, 10}}, 2.0 * 100 * 24, {}},
      {"", "LSTM", {{10, 2, 3}, {1, 16, 3}, {1, 16, 4}}, {{10, 1, 2, 4}}, 2.0 * 20 * 112, {}},
  };
  for (const Case& c : cases) EXPECT_EQ(FlopsOf(c), c.flops) << c.op;
}

TEST(OpCost, CountsEveryQueryWithEveryKeyOfAnAttention) {
  // 2 heads of size 4, 3 queries, 5 keys and, where it is given, a past of 6.
  const double per_key = 2.0 * (3 * 8 + 3 * 8);
  const Case cases[] = {
      {"",
       "Attention",
       {{1, 2, 3, 4}, {1, 2, 5, 4}, {1, 2, 5, 4}},
       {{1, 2, 3, 4}},
       5 * per_key,
       {}},
      {"", "Attention", {{1, 3, 8}, {1, 5, 8}, {1, 5, 8}}, {{1, 3, 8}}, 5 * per_key, {}},
      {"",
       "Attention",
       {{1, 3, 8}, {1, 5, 8}, {1, 5, 8}, {}, {1, 2, 6, 4}, {1, 2, 6, 4}},
       {{1, 3, 8}},
       11 * per_key,
       {}},
      {"com.microsoft",
       "MultiHeadAttention",
       {{1, 3, 8}, {1, 5, 8}, {1, 5, 8}},
       {{1, 3, 8}},
       5 * per_key,
       {}},
      {"com.microsoft", "MultiHeadAttention", {{1, 3, 2, 3, 4}}, {{1, 3, 8}}, 3 * per_key, {}},
      {"com.microsoft",
       "Attention",
       {{1, 3, 8}, {8, 24}, {24}},
       {{1, 3, 8}},
       2.0 * 24 * 24 + 3 * per_key,
       {}},
  };
  for (const Case& c : cases) EXPECT_EQ(FlopsOf(c), c.flops) << c.op;
}

TEST(OpCost, CountsNothingForOtherOperatorsAndAbsentTensors) {
  EXPECT_EQ(FlopsOf({"", "Add", {{2, 3}, {3}}, {{2, 3}}, 0, {}}), 0);
  EXPECT_EQ(FlopsOf({"", "MatMul", {{}, {}}, {{}}, 0, {}}), 0);
  EXPECT_EQ(FlopsOf({"", "Conv", {{1, 4, 9, 9}, {}}, {{1, 6, 7, 7}}, 0, {}}), 0);
}

TEST(OpCost, CountsEachTensorOfAUseOnce) {
  Tensor x = Floats({2, 3});
  Tensor y = Floats({4});
  const Tensor* inputs[] = {&x, &x, nullptr};
  Tensor* outputs[] = {&y};
  const OpDef& op = OpRegistry::Builtin().Get("", "Add");
  EXPECT_EQ(OpBytes({op, {}, 3, inputs, outputs}), 4 * (6 + 4));
}

TEST(OpCost, CountsOnlyTheRowsThatAreGathered) {
  Tensor table = Floats({1000, 3});
  Tensor indices = Tensor::View(DType::kInt64, Shape({2}), nullptr);
  Tensor y = Floats({2, 3});
  const Tensor* inputs[] = {&table, &indices};
  Tensor* outputs[] = {&y};
  const OpDef& op = OpRegistry::Builtin().Get("", "Gather");
  EXPECT_EQ(OpBytes({op, {}, 2, inputs, outputs}), 24 + 16 + 24);
}

}  // namespace
}  // namespace inferd
