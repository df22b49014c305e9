#include "engine/providers/cpu/bfloat16_convolution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_features.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

struct ConvShape {
  Shape x;
  int64_t outputs;
  int64_t height;
  int64_t width;
  std::vector<int64_t> pads = {0, 0, 0, 0};
  std::vector<int64_t> strides = {1, 1};
  std::vector<int64_t> dilations = {1, 1};
};

// Numbers that bfloat16 has.
Tensor RandomRounded(const Shape& shape, int seed) {
  Tensor tensor = RandomFloats(shape, -1, 1, seed);
  float* values = tensor.mutable_data<float>();
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    values[i] = static_cast<float>(Bfloat16(values[i]));
  }
  return tensor;
}

// [N,C,H,W] floats channels-last, in `type`; or back when `to_rows` is set.
Tensor Reordered(const Tensor& from, const Shape& shape, DType type, Layout layout, bool to_rows) {
  Tensor to = Tensor::Allocate(type, shape, layout).value();
  const int64_t channels = shape[1];
  const int64_t pixels = shape[2] * shape[3];
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) {
        const int64_t row_major = (n * channels + c) * pixels + p;
        const int64_t last = (n * pixels + p) * channels + c;
        const int64_t at = to_rows ? last : row_major;
        const float value = from.dtype() == DType::kBfloat16
                                ? static_cast<float>(from.data<Bfloat16>()[at])
                                : from.data<float>()[at];
        if (type == DType::kBfloat16) {
          to.mutable_data<Bfloat16>()[to_rows ? row_major : last] = Bfloat16(value);
        } else {
          to.mutable_data<float>()[to_rows ? row_major : last] = value;
        }
      }
    }
  }
  return to;
}

// A convolution with an epilogue, run in tile registers as a plan would and by the portable kernel
// on the same numbers.
class TileCase {
 public:
  explicit TileCase(const ConvShape& shape, bool bias = true)
      : test_("Conv", AttributesOf({{"pads", shape.pads},
                                    {"strides", shape.strides},
                                    {"dilations", shape.dilations}})) {
    operands_ = {RandomRounded(shape.x, 1),
                 RandomRounded({shape.outputs, shape.x[1], shape.height, shape.width}, 2)};
    if (bias) operands_.push_back(RandomRounded({shape.outputs}, 3));
    test_.Input(operands_[0]).Constant(operands_[1]);
    if (bias) test_.Constant(operands_[2]);
  }

  TileCase& Then(const std::string& op, Attributes attributes = Attributes()) {
    test_.Then(op, std::move(attributes));
    return *this;
  }
  // Adds a tensor like the output.
  TileCase& ThenAdd(const Shape& shape) {
    operands_.push_back(RandomRounded(shape, 4));
    test_.ThenWith("Add", operands_.back());
    return *this;
  }

  // Where the kernel may, it writes over the tensor that is added.
  void ExpectAgrees(DType output = DType::kBfloat16) {
    const absl::StatusOr<Tensor> expected = test_.Expected();
    ASSERT_TRUE(expected.ok()) << expected.status();
    for (const int threads : {1, 2, 3}) {
      SCOPED_TRACE(testing::Message() << threads << " threads");
      const absl::StatusOr<Tensor> actual = Run(output, threads);
      ASSERT_TRUE(actual.ok()) << actual.status();
      ExpectNear(*expected, *actual);
    }
  }

  bool Taken(DType output) {
    if (!Assign(output).ok()) return false;
    const auto conv = DescribeConvolution(test_.graph(), test_.node(), false);
    return conv.ok() && TakesTileConvolution(test_.graph(), test_.node(), *conv);
  }

  ProviderCase& test() { return test_; }

 private:
  absl::Status Assign(DType output) {
    const absl::Status bound = test_.Bind();
    if (!bound.ok()) return bound;
    Graph& graph = test_.graph();
    for (const ValueId id : test_.node().inputs) {
      if (graph.constant(id) != nullptr) continue;
      graph.value(id).type.dtype = DType::kBfloat16;
      graph.value(id).layout = Layout::kChannelsLast;
    }
    graph.value(test_.node().outputs[0]).type.dtype = output;
    graph.value(test_.node().outputs[0]).layout = Layout::kChannelsLast;
    return absl::OkStatus();
  }

  absl::StatusOr<Tensor> Run(DType output, int threads) {
    if (!Taken(output)) return absl::InternalError("not taken");
    const Graph& graph = test_.graph();
    const Node& node = test_.node();
    const auto conv = DescribeConvolution(graph, node, false);
    PrepareContext prepare;
    prepare.threads = threads;
    auto kernel = PrepareTileConvolution(graph, node, prepare, *conv);
    if (!kernel.ok()) return kernel.status();
    const Shape shape = graph.value(node.outputs[0]).type.shape.ToShape();
    Tensor y = Tensor::Allocate(output, shape, Layout::kChannelsLast).value();
    std::fill_n(static_cast<char*>(y.mutable_raw()), y.byte_size(), '\xa5');
    std::vector<Tensor> stored;
    for (size_t i = 0; i < operands_.size(); ++i) {
      const bool activation = graph.constant(node.inputs[i]) == nullptr;
      stored.push_back(activation ? Reordered(operands_[i], operands_[i].shape(), DType::kBfloat16,
                                              Layout::kChannelsLast, /*to_rows=*/false)
                                  : operands_[i]);
      if ((*kernel)->holds_input(static_cast<int>(i))) stored.back().Rebind(nullptr);
    }
    std::vector<const Tensor*> inputs;
    for (const Tensor& tensor : stored) inputs.push_back(&tensor);
    Tensor* outputs[] = {&y};
    for (size_t i = 0; i < stored.size(); ++i) {
      const bool fits = output == DType::kBfloat16;
      if (fits && (*kernel)->writes_over_input(static_cast<int>(i))) outputs[0] = &stored[i];
    }
    std::vector<std::byte> scratch((*kernel)->scratch_bytes() + 64, std::byte{0x7f});
    StepContext step;
    step.inputs = inputs;
    step.outputs = outputs;
    step.scratch =
        reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
    step.threads = threads;
    const absl::Status status = (*kernel)->Run(step);
    if (!status.ok()) return status;
    return Reordered(*outputs[0], shape, DType::kFloat32, Layout::kRowMajor, /*to_rows=*/true);
  }

  static void ExpectNear(const Tensor& expected, const Tensor& actual) {
    const float* e = expected.data<float>();
    const float* a = actual.data<float>();
    float largest = 0;
    for (int64_t i = 0; i < expected.num_elements(); ++i) {
      largest = std::max(largest, std::abs(e[i]));
    }
    for (int64_t i = 0; i < expected.num_elements(); ++i) {
      ASSERT_LE(std::abs(e[i] - a[i]), 0.0045f * std::abs(e[i]) + 1e-4f * largest)
          << "element " << i << ": expected " << e[i] << ", got " << a[i];
    }
  }

  ProviderCase test_;
  std::vector<Tensor> operands_;
};

class TileConvolutions : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ComputesBfloat16Tiles()) GTEST_SKIP() << "no tile registers";
  }
};

TEST_F(TileConvolutions, AgreeOverOddShapesPadsStridesAndDilations) {
  const ConvShape shapes[] = {
      {{1, 16, 8, 8}, 16, 3, 3, {1, 1, 1, 1}},
      {{2, 17, 9, 7}, 5, 3, 3, {0, 2, 1, 0}, {2, 2}},
      {{3, 20, 11, 13}, 33, 5, 2, {2, 0, 2, 1}, {1, 2}},
      {{1, 40, 12, 15}, 70, 3, 3, {2, 2, 2, 2}, {1, 1}, {2, 3}},
      {{1, 70, 23, 10}, 31, 3, 3, {1, 3, 2, 2}, {3, 2}, {2, 3}},
      {{1, 24, 1, 30}, 100, 1, 7, {0, 3, 0, 3}},
      {{1, 300, 7, 7}, 65, 3, 3, {1, 1, 1, 1}},
      {{9, 64, 7, 7}, 64, 3, 3, {1, 1, 1, 1}},
      {{1, 800, 4, 4}, 20, 2, 2, {0, 0, 0, 0}, {2, 2}},
      {{2, 16, 40, 33}, 130, 3, 3, {1, 1, 1, 1}, {2, 1}},
      {{1, 32, 5, 5}, 32, 3, 3, {4, 4, 4, 4}},
      {{1, 33, 3, 70}, 17, 3, 3, {5, 0, 0, 5}, {1, 1}},
      {{1, 64, 60, 60}, 32, 3, 3, {1, 1, 1, 1}},
  };
  for (const ConvShape& shape : shapes) {
    SCOPED_TRACE(shape.x.ToString());
    TileCase(shape, true).ExpectAgrees();
    TileCase(shape, false).ExpectAgrees(DType::kFloat32);
  }
}

TEST_F(TileConvolutions, AgreeOverPointwiseConvolutionsOfEveryDepth) {
  for (const int64_t channels : {1, 2, 8, 16, 24, 31, 34, 40, 72, 80, 112, 184, 200, 240, 544}) {
    for (const int64_t size : {1, 3, 7, 19}) {
      SCOPED_TRACE(testing::Message() << channels << " channels, " << size);
      TileCase({{2, channels, size, size}, 3 * size + channels % 50, 1, 1}).ExpectAgrees();
    }
  }
  TileCase({{1, 256, 15, 14}, 48, 1, 1, {0, 0, 0, 0}, {2, 2}}).ExpectAgrees();
  TileCase({{1, 33, 6, 5}, 47, 1, 1, {0, 0, 0, 0}, {2, 3}}).ExpectAgrees();
  TileCase({{1, 32, 6, 5}, 47, 1, 1, {1, 2, 0, 1}}).ExpectAgrees();
}

TEST_F(TileConvolutions, AgreeOverFewChannels) {
  for (const int64_t channels : {1, 2, 3, 4, 5, 7}) {
    SCOPED_TRACE(testing::Message() << channels << " channels");
    TileCase({{2, channels, 30, 33}, 24, 3, 3, {1, 1, 1, 1}, {2, 2}}).ExpectAgrees();
    TileCase({{1, channels, 19, 18}, 40, 7, 7, {3, 3, 3, 3}, {2, 2}}).ExpectAgrees();
    TileCase({{1, channels, 12, 21}, 7, 2, 4, {0, 2, 1, 1}, {3, 1}}).ExpectAgrees();
    TileCase({{1, channels, 12, 21}, 7, 3, 2, {0, 0, 0, 0}, {1, 4}, {2, 1}}).ExpectAgrees();
  }
}

TEST_F(TileConvolutions, ApplyEpilogues) {
  const ConvShape shapes[] = {{{2, 30, 9, 10}, 53, 3, 3, {1, 1, 1, 1}}, {{2, 64, 9, 10}, 53, 1, 1}};
  for (const ConvShape& shape : shapes) {
    const Shape like = {2, 53, 9, 10};
    const Attributes clip = AttributesOf({{"min", -0.5f}, {"max", 2.0f}});
    for (const DType output : {DType::kBfloat16, DType::kFloat32}) {
      TileCase(shape).Then("Relu").ExpectAgrees(output);
      TileCase(shape).Then("Clip", clip).ExpectAgrees(output);
      TileCase(shape).ThenAdd(like).Then("Relu").ExpectAgrees(output);
      TileCase(shape, false).ThenAdd(like).Then("Clip", clip).ExpectAgrees(output);
      TileCase(shape).Then("Swish").ExpectAgrees(output);
      TileCase(shape)
          .Then("Swish", AttributesOf({{"alpha", 1.7f}}))
          .ThenAdd(like)
          .ExpectAgrees(output);
      TileCase(shape, false).Then("HardSwish").ThenAdd(like).Then("Relu").ExpectAgrees(output);
      TileCase(shape).Then("Sigmoid").ExpectAgrees(output);
      TileCase(shape).Then("Tanh").Then("Mish").ThenAdd(like).ExpectAgrees(output);
    }
  }
}

TEST_F(TileConvolutions, AreRefusedForWhatTheyCannotRun) {
  const ConvShape shape = {{2, 30, 9, 10}, 53, 3, 3, {1, 1, 1, 1}};
  EXPECT_TRUE(TileCase(shape).Taken(DType::kBfloat16));
  EXPECT_FALSE(TileCase(shape).ThenAdd({53, 1, 1}).Taken(DType::kBfloat16));
  EXPECT_FALSE(TileCase(shape).ThenAdd({2, 53, 9, 10}).Then("Swish").Taken(DType::kBfloat16));
  TileCase floats(shape);
  ASSERT_TRUE(floats.test().Bind().ok());
  const auto conv = DescribeConvolution(floats.test().graph(), floats.test().node(), false);
  EXPECT_FALSE(TakesTileConvolution(floats.test().graph(), floats.test().node(), *conv));
}

}  // namespace
}  // namespace inferd::cpu
