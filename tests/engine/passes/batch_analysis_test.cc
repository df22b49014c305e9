#include "engine/passes/batch_analysis.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using ::inferd::testing::GraphBuilder;
using ::testing::HasSubstr;

constexpr int64_t kBatch = 7;

Attributes With(const std::string& name, Attributes::Value value) {
  Attributes attributes;
  attributes.Set(name, std::move(value));
  return attributes;
}

TEST(BatchAnalysis, ProvesAConvolutionalClassifier) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 3, 8, 8});
  const ValueId conv = b.Op("Conv", {x, b.Weights(Shape({4, 3, 3, 3}))});
  const ValueId flat = b.Op("Flatten", {b.Op("GlobalAveragePool", {b.Op("Relu", {conv})})});
  const ValueId y = b.Op("Gemm", {flat, b.Weights(Shape({4, 10}))});
  EXPECT_TRUE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, FollowsTheBatchThroughAFlattenedDimension) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 5, 6});
  const ValueId flat = b.Op("Reshape", {x, b.Constant<int64_t>(Shape({2}), {-1, 6})});
  const ValueId product = b.Op("MatMul", {flat, b.Weights(Shape({6, 4}))});
  const ValueId y = b.Op("Reshape", {product, b.Constant<int64_t>(Shape({3}), {kBatch, 5, 4})});
  EXPECT_TRUE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

// Whether rows of Q, K and V that go through an Attention with that mask stay apart.
bool AttentionKeepsApart(const Shape& mask, bool mask_is_input) {
  GraphBuilder b;
  Attributes attributes = With("q_num_heads", int64_t{2});
  attributes.Set("kv_num_heads", int64_t{2});
  const ValueId x = b.Input("x", {kBatch, 5, 6});
  const ValueId m = mask_is_input ? b.Input("mask", mask) : b.Weights(mask);
  const ValueId y = b.Op("Attention", {x, x, x, m}, attributes);
  return AnalyzeRows(b.Build({y}), kBatch).row_by_row;
}

TEST(BatchAnalysis, ProvesAttentionWithAMaskForEachRowOrForAll) {
  EXPECT_TRUE(AttentionKeepsApart({kBatch, 1, 5, 5}, true));
  EXPECT_TRUE(AttentionKeepsApart({5, 5}, false));
  EXPECT_TRUE(AttentionKeepsApart({1, 2, 5, 5}, false));
}

TEST(BatchAnalysis, RefusesAttentionToKeysOfOtherRows) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 2, 5, 6});
  const ValueId turned = b.Op("Transpose", {x}, With("perm", std::vector<int64_t>{1, 0, 2, 3}));
  const ValueId y = b.Op("Attention", {turned, turned, turned});
  EXPECT_FALSE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, ProvesTheAttentionOperatorsOfMicrosoft) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 5, 6});
  const ValueId mask = b.Op("Cast", {b.Input("mask", {kBatch, 5})}, With("to", int64_t{6}));
  const ValueId multi = b.Op("MultiHeadAttention", {x, x, x, kNoValue, mask},
                             With("num_heads", int64_t{2}), "com.microsoft");
  const ValueId y =
      b.Op("Attention", {multi, b.Weights(Shape({6, 18})), b.Weights(Shape({18})), mask},
           With("num_heads", int64_t{2}), "com.microsoft");
  EXPECT_TRUE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, ProvesAQuantizedClassifier) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 3, 8, 8});
  const ValueId scale = b.Weights(Shape());
  const ValueId quantized = b.Op("QuantizeLinear", {x, scale});
  const ValueId real = b.Op("DequantizeLinear", {quantized, scale});
  const ValueId by_channel = b.Op("DequantizeLinear", {quantized, b.Weights(Shape({3}))});
  const ValueId y = b.Op("Conv", {b.Op("Add", {real, by_channel}), b.Weights(Shape({4, 3, 3, 3}))});
  EXPECT_TRUE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, RefusesAScaleForEachRow) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 3});
  const ValueId y =
      b.Op("QuantizeLinear", {x, b.Weights(Shape({kBatch}))}, With("axis", int64_t{0}));
  EXPECT_FALSE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, ProvesProductsOfQuantizedMatrices) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 3}, DType::kInt8);
  const ValueId scale = b.Weights(Shape());
  const ValueId w = b.Constant<int8_t>(Shape({3, 2}), {1, 2, 3, 4, 5, 6});
  const ValueId real = b.Op("MatMulIntegerToFloat", {x, w, scale, scale}, {}, "com.microsoft");
  EXPECT_TRUE(AnalyzeRows(b.Build({real}), kBatch).row_by_row);
}

TEST(BatchAnalysis, RefusesQuantizationOverTheRangeOfAllRows) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 3});
  const ValueId w = b.Constant<int8_t>(Shape({3, 1}), {1, 2, 3});
  const ValueId y = b.Op("DynamicQuantizeMatMul", {x, w, b.Weights(Shape())}, {}, "com.microsoft");
  EXPECT_FALSE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, RefusesAMeanOverTheBatchAndNamesTheNode) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 4});
  const ValueId mean = b.Op("ReduceMean", {x, b.Constant<int64_t>(Shape({1}), {0})});
  const ValueId y = b.Op("Sub", {x, mean});
  const RowAnalysis analysis = AnalyzeRows(b.Build({y}), kBatch);
  EXPECT_FALSE(analysis.row_by_row);
  EXPECT_THAT(analysis.reason, HasSubstr("ReduceMean0"));
}

TEST(BatchAnalysis, RefusesASoftmaxOverTheBatch) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 4});
  const ValueId y = b.Op("Softmax", {x}, With("axis", int64_t{0}));
  EXPECT_FALSE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, RefusesReversedRows) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 4});
  const ValueId y = b.Op(
      "Slice", {x, b.Constant<int64_t>(Shape({1}), {-1}), b.Constant<int64_t>(Shape({1}), {-100}),
                b.Constant<int64_t>(Shape({1}), {0}), b.Constant<int64_t>(Shape({1}), {-1})});
  EXPECT_FALSE(AnalyzeRows(b.Build({y}), kBatch).row_by_row);
}

TEST(BatchAnalysis, RefusesAConstantThatNumbersTheRows) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 1});
  const ValueId numbers = b.Constant<float>(Shape({kBatch, 1}), {0, 1, 2, 3, 4, 5, 6});
  EXPECT_FALSE(AnalyzeRows(b.Build({b.Op("Add", {x, numbers})}), kBatch).row_by_row);
}

TEST(BatchAnalysis, RefusesAFixedDimensionZero) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 4});
  EXPECT_FALSE(AnalyzeRows(b.Build({b.Op("Relu", {x})}), kBatch).row_by_row);
}

}  // namespace
}  // namespace inferd
