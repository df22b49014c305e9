#include "engine/ops/custom/custom_op_host.h"

#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using ShapeRule = int (*)(const InferdHost*, const InferdNode*, InferdShapeCall*);
using Kernel = int (*)(const InferdHost*, const InferdNode*, InferdRunCall*);

// The status and the output of a kernel over float32[2] and a string[1], with attributes
// "count" = 3 and "weights" = [0.5, 2].
absl::Status RunKernel(Kernel kernel, Tensor* output) {
  InferdCustomOp op = {};
  op.run = kernel;
  Attributes attributes;
  attributes.Set("count", int64_t{3});
  attributes.Set("weights", std::vector<float>{0.5f, 2});
  const Tensor numbers = Tensor::FromValues<float>({2}, {1, 2});
  const Tensor text = Tensor::FromValues<std::string>({1}, {"abc"});
  const Tensor* const inputs[] = {&numbers, &text};
  Tensor* const outputs[] = {output};
  KernelContext context(attributes, inputs, outputs, /*outputs_planned=*/false, 1000);
  return RunCustomOp(op, context);
}

absl::Status RunRule(ShapeRule rule, ValueType* output) {
  InferdCustomOp op = {};
  op.infer_shapes = rule;
  Node node;
  node.inputs = {0};
  node.outputs = {1};
  const ValueType input =
      ValueType::OfTensor(DType::kFloat32, SymbolicShape({Dim::Symbol(0), Dim(4)}));
  InferContext context(node, {&input}, {nullptr});
  const absl::Status status = InferCustomShapes(op, context);
  *output = context.output_type(0);
  return status;
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

TEST(CustomOpHost, GivesInputsAndAttributesAndTakesOutputs) {
  Tensor output;
  const absl::Status status = RunKernel(
      [](const InferdHost* host, const InferdNode* node, InferdRunCall* call) {
        int64_t count = 0;
        const float* weights = nullptr;
        size_t num_weights = 0;
        InferdTensor x;
        void* data = nullptr;
        if (!host->int_attribute(node, "count", &count)) return 1;
        if (!host->floats_attribute(node, "weights", &weights, &num_weights)) return 2;
        if (host->int_attribute(node, "weights", &count)) return 3;
        if (host->num_inputs(call) != 2 || !host->input(call, 0, &x)) return 4;
        if (host->wants_output(call, 1) || host->wants_output(call, -1)) return 5;
        if (!host->output(call, 0, x.dtype, x.rank, x.dims, &data)) return 6;
        for (int i = 0; i < 2; ++i) {
          static_cast<float*>(data)[i] = static_cast<const float*>(x.data)[i] * weights[i] + count;
        }
        return 0;
      },
      &output);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(output.values<float>(), ElementsAre(3.5f, 7));
}

TEST(CustomOpHost, CopiesStringsInAndOut) {
  Tensor output;
  const absl::Status status = RunKernel(
      [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
        const char* text = nullptr;
        size_t bytes = 0;
        void* data = nullptr;
        const int64_t dims[] = {1};
        if (!host->input_string(call, 1, 0, &text, &bytes)) return 1;
        if (!host->output(call, 0, INFERD_STRING, 1, dims, &data) || data != nullptr) return 2;
        return host->set_output_string(call, 0, 0, text + 1, bytes - 1) ? 0 : 3;
      },
      &output);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(output.values<std::string>(), ElementsAre("bc"));
}

TEST(CustomOpHost, AWrongCallFailsTheOperatorWhateverItReturns) {
  Tensor output;
  const Kernel kernels[] = {
      [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
        const char* text;
        size_t bytes;
        host->input_string(call, 1, 1, &text, &bytes);
        return 0;
      },
      [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
        const char* text;
        size_t bytes;
        host->input_string(call, 0, 0, &text, &bytes);
        return 0;
      },
      [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
        host->set_output_string(call, 0, 0, "a", 1);
        return 0;
      },
      [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
        void* data;
        host->output(call, 5, 1, 0, nullptr, &data);
        return 0;
      },
      [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
        void* data;
        host->output(call, 0, 99, 0, nullptr, &data);
        return 0;
      },
      [](const InferdHost*, const InferdNode*, InferdRunCall*) { return 0; },  // no output made
  };
  for (Kernel kernel : kernels) {
    EXPECT_EQ(RunKernel(kernel, &output).code(), absl::StatusCode::kInternal);
  }
}

TEST(CustomOpHost, OutputsAreBoundByTheLimitAndByTheirShapes) {
  Tensor output;
  EXPECT_EQ(RunKernel(
                [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
                  const int64_t dims[] = {1 << 20};
                  void* data;
                  return host->output(call, 0, 1, 1, dims, &data) ? 0 : 1;
                },
                &output)
                .code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RunKernel(
                [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
                  const int64_t dims[] = {-4};
                  void* data;
                  return host->output(call, 0, 1, 1, dims, &data) ? 0 : 1;
                },
                &output)
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CustomOpHost, ReportsTheLibrarysMessageOrItsCode) {
  Tensor output;
  EXPECT_EQ(MessageOf(RunKernel(
                [](const InferdHost* host, const InferdNode*, InferdRunCall* call) {
                  host->fail_run(call, "the moon is in the way");
                  return 0;
                },
                &output)),
            "the moon is in the way");
  EXPECT_THAT(
      MessageOf(RunKernel([](const InferdHost*, const InferdNode*, InferdRunCall*) { return 42; },
                          &output)),
      HasSubstr("code 42"));
}

TEST(CustomOpHost, ShapeRulesSeeUnknownDimensionsAndMayGiveThem) {
  ValueType type;
  const absl::Status status = RunRule(
      [](const InferdHost* host, const InferdNode*, InferdShapeCall* call) {
        InferdTensorType input;
        if (!host->input_type(call, 0, &input) || host->input_type(call, 1, &input)) return 1;
        if (input.rank != 2 || input.dims[0] != -1 || input.dims[1] != 4) return 2;
        input.dims[1] = 7;
        return host->set_output_type(call, 0, &input) ? 0 : 3;
      },
      &type);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(type.ToString(), "float32[?,7]");
}

TEST(CustomOpHost, AShapeRuleMustSetEveryOutputRightly) {
  ValueType type;
  EXPECT_THAT(MessageOf(RunRule(
                  [](const InferdHost*, const InferdNode*, InferdShapeCall*) { return 0; }, &type)),
              HasSubstr("did not set the type of output 0"));
  EXPECT_EQ(RunRule(
                [](const InferdHost* host, const InferdNode*, InferdShapeCall* call) {
                  InferdTensorType output = {};
                  output.dtype = 1;
                  output.rank = 1000;
                  return host->set_output_type(call, 0, &output) ? 0 : 1;
                },
                &type)
                .code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace inferd
