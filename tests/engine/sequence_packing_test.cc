#include "engine/sequence_packing.h"

#include "engine/plan/plan_builder.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using testing::GraphBuilder;

constexpr int64_t kPositions = 10;
constexpr int64_t kWidth = 4;

// A token's row of one table and, behind a relu, its position's row of another.
absl::StatusOr<Graph> Bind(const std::vector<Shape>& shapes) {
  const int64_t length = shapes[0][1];
  if (length > kPositions) return absl::InvalidArgumentError("no such position");
  GraphBuilder b;
  const ValueId ids = b.Input("ids", shapes[0], DType::kInt64);
  std::vector<float> rows(length * kWidth);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i / kWidth);
  const ValueId positions = b.Constant<float>(Shape({1, length, kWidth}), std::move(rows));
  const ValueId tokens = b.Op("Gather", {b.Weights(Shape({20, kWidth})), ids});
  return b.Build({b.Op("Relu", {b.Op("Add", {tokens, positions})})});
}

// The same, of which the first token and the sum over all are given.
absl::StatusOr<Graph> BindPooled(const std::vector<Shape>& shapes) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", shapes[0], DType::kInt64);
  const ValueId tokens = b.Op("Gather", {b.Weights(Shape({20, kWidth})), ids});
  Attributes axis;
  axis.Set("axis", int64_t{1});
  Attributes drops;
  drops.Set("keepdims", int64_t{0});
  return b.Build({b.Op("Gather", {tokens, b.Constant<int64_t>(Shape(), {0})}, axis),
                  b.Op("ReduceSum", {tokens, b.Constant<int64_t>(Shape({1}), {1})}, drops)});
}

// The sum of the tokens that the second input, 0 or 1, counts.
absl::StatusOr<Graph> BindMasked(const std::vector<Shape>& shapes) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", shapes[0], DType::kInt64);
  const ValueId mask = b.Input("mask", shapes[1], DType::kInt64);
  const ValueId tokens = b.Op("Gather", {b.Weights(Shape({20, kWidth})), ids});
  Attributes to_float;
  to_float.Set("to", int64_t{1});
  const ValueId column = b.Op(
      "Unsqueeze",
      {b.Op("Cast", {mask}, to_float), b.Constant<int64_t>(Shape({1}), std::vector<int64_t>{2})});
  Attributes drops;
  drops.Set("keepdims", int64_t{0});
  return b.Build({b.Op(
      "ReduceSum",
      {b.Op("Mul", {tokens, column}), b.Constant<int64_t>(Shape({1}), std::vector<int64_t>{1})},
      drops)});
}

TensorInfo Ids(Dim rows, Dim length, const std::string& name = "ids") {
  TensorInfo info;
  info.name = name;
  info.type = ValueType::OfTensor(DType::kInt64, SymbolicShape({rows, length}));
  return info;
}

using BindFunction = absl::StatusOr<Graph> (*)(const std::vector<Shape>& shapes);
std::unique_ptr<SequencePacking> MakePacking(std::vector<TensorInfo> inputs, BindFunction bind) {
  return std::make_unique<SequencePacking>(
      std::move(inputs), 8, std::make_shared<RecoverySet>(),
      SequencePacking::Functions{.bind = bind, .build = [](Graph graph) {
                                   PlanOptions options;
                                   options.max_arena_bytes = int64_t{1} << 20;
                                   return BuildPlan(graph, options);
                                 }});
}

std::unique_ptr<SequencePacking> MakePacking(TensorInfo info, BindFunction bind = Bind) {
  return MakePacking(std::vector<TensorInfo>{std::move(info)}, bind);
}

std::vector<Tensor> Request(int64_t rows, int64_t length) {
  Tensor ids = Tensor::Allocate(DType::kInt64, Shape({rows, length})).value();
  for (int64_t i = 0; i < rows * length; ++i)
    ids.mutable_data<int64_t>()[i] = (3 * i + length) % 20;
  return {ids};
}

// What the graph makes of element `column` of token `i` of a row.
float Expected(const Tensor& ids, int64_t token, int64_t position, int64_t column) {
  const int64_t element = ids.data<int64_t>()[token] * kWidth + column;
  return 0.01f * static_cast<float>(element % 97 + 1) + static_cast<float>(position);
}

TEST(SequencePacking, GivesEachRequestItsOwnTokens) {
  const auto packing = MakePacking(Ids(Dim::Symbol(0), Dim::Symbol(1)));
  ASSERT_TRUE(packing->TakesSequences());
  ASSERT_TRUE(packing->Check().ok()) << packing->Check();
  CoreSlot slot(1);
  // Ten tokens: the next power of two is past the last position, and the exact length serves.
  for (const int64_t longest : {3, 10, 10}) {
    const std::vector<std::vector<Tensor>> requests = {Request(1, 2), Request(2, longest),
                                                       Request(1, 1)};
    std::vector<std::vector<Tensor>> outputs;
    const absl::Status status =
        packing->Run(slot, {requests[0], requests[1], requests[2]}, &outputs);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(outputs.size(), 3u);
    for (size_t r = 0; r < requests.size(); ++r) {
      const Tensor& ids = requests[r][0];
      const Tensor& output = outputs[r][0];
      ASSERT_EQ(output.shape(), Shape({ids.dim(0), ids.dim(1), kWidth}));
      for (int64_t i = 0; i < output.num_elements(); ++i) {
        const int64_t token = i / kWidth;
        EXPECT_FLOAT_EQ(output.data<float>()[i],
                        Expected(ids, token, token % ids.dim(1), i % kWidth));
      }
    }
  }
  EXPECT_GE(packing->plans().num_plans(), 2);
}

TEST(SequencePacking, GivesEachRequestItsOwnSequences) {
  const auto packing = MakePacking(Ids(Dim::Symbol(0), Dim::Symbol(1)), BindPooled);
  ASSERT_TRUE(packing->Check().ok()) << packing->Check();
  CoreSlot slot(1);
  // Also 16 tokens, which leave no token behind the last sequence, and a sequence alone.
  for (const std::vector<std::vector<int64_t>>& rows_and_lengths :
       {std::vector<std::vector<int64_t>>{{1, 2}, {3, 5}, {1, 9}}, {{2, 3}, {1, 10}}, {{1, 4}}}) {
    std::vector<std::vector<Tensor>> requests;
    for (const auto& request : rows_and_lengths) {
      requests.push_back(Request(request[0], request[1]));
    }
    std::vector<std::vector<Tensor>> outputs;
    const absl::Status status = packing->Run(
        slot, std::vector<absl::Span<const Tensor>>(requests.begin(), requests.end()), &outputs);
    ASSERT_TRUE(status.ok()) << status;
    for (size_t r = 0; r < requests.size(); ++r) {
      const Tensor& ids = requests[r][0];
      const int64_t length = ids.dim(1);
      for (const Tensor& output : outputs[r]) {
        ASSERT_EQ(output.shape(), Shape({ids.dim(0), kWidth}));
      }
      for (int64_t i = 0; i < ids.dim(0) * kWidth; ++i) {
        const int64_t first = i / kWidth * length;
        float sum = 0;
        for (int64_t t = 0; t < length; ++t) sum += Expected(ids, first + t, 0, i % kWidth);
        EXPECT_FLOAT_EQ(outputs[r][0].data<float>()[i], Expected(ids, first, 0, i % kWidth));
        EXPECT_FLOAT_EQ(outputs[r][1].data<float>()[i], sum);
      }
    }
  }
}

// A request whose row r is masked by `masks[r]`, a digit a token; token 15 where it is not 1.
std::vector<Tensor> MaskedRequest(const std::vector<std::string>& masks) {
  const auto rows = static_cast<int64_t>(masks.size());
  const auto length = static_cast<int64_t>(masks[0].size());
  std::vector<Tensor> request = Request(rows, length);
  request.push_back(Tensor::Allocate(DType::kInt64, Shape({rows, length})).value());
  for (int64_t i = 0; i < rows * length; ++i) {
    const int64_t counts = masks[i / length][i % length] - '0';
    request[1].mutable_data<int64_t>()[i] = counts;
    if (counts != 1) request[0].mutable_data<int64_t>()[i] = 15;
  }
  return request;
}

TEST(SequencePacking, LeavesOutThePaddingOfEachRow) {
  const Dim rows = Dim::Symbol(0);
  const Dim length = Dim::Symbol(1);
  const auto packing = MakePacking({Ids(rows, length), Ids(rows, length, "mask")}, BindMasked);
  absl::StatusOr<int> mask = -1;
  ASSERT_TRUE(packing->Check(&mask).ok());
  ASSERT_TRUE(mask.ok()) << mask.status();
  ASSERT_EQ(*mask, 1);
  const std::vector<std::vector<Tensor>> requests = {
      MaskedRequest({"11100000", "10000000", "11111111"}),
      MaskedRequest({"0011", "1010", "0000", "1200"}), MaskedRequest({"1110"})};
  for (const int skipped : {-1, 1}) {
    packing->SkipPadding(skipped);
    CoreSlot slot(1);
    std::vector<std::vector<Tensor>> outputs;
    const absl::Status status =
        packing->Run(slot, {requests[0], requests[1], requests[2]}, &outputs);
    ASSERT_TRUE(status.ok()) << status;
    for (size_t r = 0; r < requests.size(); ++r) {
      const Tensor& ids = requests[r][0];
      ASSERT_EQ(outputs[r][0].shape(), Shape({ids.dim(0), kWidth}));
      for (int64_t i = 0; i < ids.dim(0) * kWidth; ++i) {
        float sum = 0;
        for (int64_t t = i / kWidth * ids.dim(1); t < (i / kWidth + 1) * ids.dim(1); ++t) {
          sum += static_cast<float>(requests[r][1].data<int64_t>()[t]) *
                 Expected(ids, t, 0, i % kWidth);
        }
        EXPECT_NEAR(outputs[r][0].data<float>()[i], sum, 1e-6f);
      }
    }
  }
}

TEST(SequencePacking, PacksARequestAloneForMuchPaddingOnly) {
  const Dim rows = Dim::Symbol(0);
  const Dim length = Dim::Symbol(1);
  const auto packing = MakePacking({Ids(rows, length), Ids(rows, length, "mask")}, BindMasked);
  const std::string ones(32, '1');
  const std::string half = std::string(16, '1') + std::string(16, '0');
  EXPECT_FALSE(packing->PaysForPadding(MaskedRequest({half})));
  packing->SkipPadding(1);
  EXPECT_TRUE(packing->PaysForPadding(MaskedRequest({half})));
  EXPECT_TRUE(packing->PaysForPadding(MaskedRequest({half, ones, ones, ones})));
  EXPECT_FALSE(packing->PaysForPadding(MaskedRequest({half, ones, ones, ones, ones})));
  EXPECT_FALSE(packing->PaysForPadding(MaskedRequest({ones})));
  // Sixteen tokens are run at least.
  EXPECT_FALSE(packing->PaysForPadding(MaskedRequest({"1000000000000000"})));
  for (const std::string& odd : {std::string(16, '0') + std::string(16, '1'), std::string(32, '0'),
                                 "2" + std::string(31, '0'), "1" + std::string(30, '0') + "1"}) {
    EXPECT_FALSE(packing->PaysForPadding(MaskedRequest({odd}))) << odd;
  }
}

TEST(SequencePacking, RefusesASequenceWithoutTokens) {
  const auto packing = MakePacking(Ids(Dim::Symbol(0), Dim::Symbol(1)), BindPooled);
  CoreSlot slot(1);
  const std::vector<Tensor> empty = Request(1, 0);
  const std::vector<Tensor> full = Request(1, 3);
  std::vector<std::vector<Tensor>> outputs;
  EXPECT_EQ(packing->Run(slot, {full, empty}, &outputs).code(), absl::StatusCode::kInvalidArgument);
}

TEST(SequencePacking, RefusesALengthThatTheModelHasNot) {
  const auto packing = MakePacking(Ids(Dim::Symbol(0), Dim::Symbol(1)));
  CoreSlot slot(1);
  const std::vector<Tensor> request = Request(1, kPositions + 1);
  std::vector<std::vector<Tensor>> outputs;
  EXPECT_EQ(packing->Run(slot, {request}, &outputs).code(), absl::StatusCode::kInvalidArgument);
}

TEST(SequencePacking, TakesOnlyInputsWithOneFreeLength) {
  EXPECT_FALSE(MakePacking(Ids(Dim::Symbol(0), Dim(7)))->TakesSequences());
  EXPECT_FALSE(MakePacking(Ids(Dim(1), Dim::Symbol(1)))->TakesSequences());
}

}  // namespace
}  // namespace inferd
