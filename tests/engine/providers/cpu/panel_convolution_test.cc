#include "engine/providers/cpu/panel_convolution.h"

#include "engine/core/status_macros.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

// Runs by panels what they take, whether or not that is fastest.
OneKernelProvider PanelProvider() {
  return OneKernelProvider(
      [](const Graph& graph, const Node& node,
         const PrepareContext& context) -> absl::StatusOr<std::unique_ptr<BoundKernel>> {
        ASSIGN_OR_RETURN(const Convolution conv, DescribeConvolution(graph, node, false));
        if (!TakesPanelConvolution(graph, node, conv)) {
          return absl::UnimplementedError("not a case for panels");
        }
        return PreparePanelConvolution(graph, node, context, conv);
      });
}

struct ConvShape {
  Shape x;
  int64_t outputs;
  int64_t height;
  int64_t width;
  std::vector<int64_t> pads;
  std::vector<int64_t> strides = {1, 1};
  std::vector<int64_t> dilations = {1, 1};
};

ProviderCase CaseOf(const ConvShape& shape, bool bias = true) {
  ProviderCase test("Conv", AttributesOf({{"pads", shape.pads},
                                          {"strides", shape.strides},
                                          {"dilations", shape.dilations}}));
  test.Input(RandomFloats(shape.x, -1, 1, 1))
      .Constant(RandomFloats({shape.outputs, shape.x[1], shape.height, shape.width}, -1, 1, 2));
  if (bias) test.Constant(RandomFloats(Shape({shape.outputs}), -1, 1, 3));
  return test;
}

void ExpectAgrees(const ProviderCase& test) {
  for (const int threads : {1, 2, 3}) {
    ProviderCase copy = test;
    OneKernelProvider provider = PanelProvider();
    copy.threads = threads;
    EXPECT_NE(copy.ExpectAgreesOn(provider, 5e-6), "");
  }
}

TEST(PanelConvolution, AgreesOverOddShapesPadsStridesAndDilations) {
  const ConvShape shapes[] = {
      {{1, 16, 8, 8}, 16, 3, 3, {1, 1, 1, 1}},
      {{2, 17, 9, 7}, 5, 3, 3, {0, 2, 1, 0}, {2, 2}},
      {{1, 33, 6, 5}, 47, 1, 1, {0, 0, 0, 0}, {2, 3}},
      {{3, 20, 11, 13}, 33, 5, 2, {2, 0, 2, 1}, {1, 2}},
      {{1, 40, 12, 15}, 70, 3, 3, {2, 2, 2, 2}, {1, 1}, {2, 3}},
      {{1, 24, 1, 30}, 100, 1, 7, {0, 3, 0, 3}},
      {{1, 300, 7, 7}, 65, 3, 3, {1, 1, 1, 1}},
      {{1, 800, 4, 4}, 20, 2, 2, {0, 0, 0, 0}, {2, 2}},
      {{2, 16, 40, 33}, 130, 3, 3, {1, 1, 1, 1}, {2, 1}},
  };
  for (const ConvShape& shape : shapes) {
    ExpectAgrees(CaseOf(shape, true));
    ExpectAgrees(CaseOf(shape, false));
  }
}

TEST(PanelConvolution, AppliesEpiloguesToSumsAndToFinishedGroups) {
  const ConvShape shape = {{2, 30, 9, 10}, 530, 3, 3, {1, 1, 1, 1}};
  const Tensor same = RandomFloats({2, 530, 9, 10}, -3, 3, 4);
  ExpectAgrees(CaseOf(shape).Then("Relu"));
  ExpectAgrees(CaseOf(shape).ThenWith("Add", same).Then("Relu"));
  ExpectAgrees(CaseOf(shape, false).Then("Swish").ThenWith("Mul", same));
}

}  // namespace
}  // namespace inferd::cpu
