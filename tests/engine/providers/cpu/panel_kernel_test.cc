#include "engine/providers/cpu/panel_kernel.h"

#include <cmath>
#include <limits>

#include "engine/providers/cpu/cpu_provider.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

struct ProductShape {
  int64_t rows;
  int64_t depth;
  int64_t columns;
};

ProviderCase CaseOf(const ProductShape& shape) {
  return ProviderCase("MatMul")
      .Input(RandomFloats({shape.rows, shape.depth}, -1, 1, 1))
      .Constant(RandomFloats({shape.depth, shape.columns}, -1, 1, 2));
}

void ExpectPanels(ProviderCase test, double tolerance = 3e-6) {
  for (const int threads : {1, 2, 3}) {
    ProviderCase copy = test;
    copy.threads = threads;
    EXPECT_NE(copy.ExpectAgrees(tolerance).find("simd:panels"), std::string::npos);
  }
}

TEST(PanelKernel, AgreesOverEveryTileHeightAndPanelWidth) {
  for (int64_t rows = 1; rows <= 26; ++rows) {
    for (const int64_t columns :
         {1, 3, 4, 7, 8, 15, 16, 17, 24, 32, 33, 47, 48, 49, 64, 65, 79, 100}) {
      ExpectPanels(CaseOf({rows, 5 + rows % 4, columns}));
    }
  }
}

TEST(PanelKernel, AgreesOverManyBlocksOfRowsDepthAndPanels) {
  for (const ProductShape& shape :
       {ProductShape{300, 70, 530}, ProductShape{3, 1281, 20}, ProductShape{9, 3001, 77},
        ProductShape{130, 2561, 50}, ProductShape{1, 1, 4000}, ProductShape{1000, 1, 1}}) {
    ExpectPanels(CaseOf(shape), 1e-5);
  }
}

TEST(PanelKernel, AppliesEpiloguesToSumsAndToFinishedGroups) {
  for (const ProductShape& shape : {ProductShape{37, 30, 70}, ProductShape{20, 1300, 1100}}) {
    const Tensor row = RandomFloats(Shape({shape.columns}), -3, 3, 3);
    const Tensor same = RandomFloats({shape.rows, shape.columns}, -3, 3, 4);
    ExpectPanels(CaseOf(shape).ThenWith("Add", row), 1e-5);
    ExpectPanels(CaseOf(shape).ThenWith("Add", row, true).Then("Gelu"), 1e-5);
    ExpectPanels(CaseOf(shape).ThenWith("Add", row).ThenWith("Add", same).Then("Relu"), 1e-5);
    ExpectPanels(CaseOf(shape).ThenWith("Add", same).Then("Swish"), 1e-5);
    ExpectPanels(CaseOf(shape).ThenWith("Mul", same).Then("Tanh").ThenWith("Add", row), 1e-5);
  }
}

TEST(PanelKernel, TakesGemmByTheTransposeWithARowToAdd) {
  Attributes attributes;
  attributes.Set("transB", int64_t{1});
  for (const ProductShape& shape : {ProductShape{5, 9, 33}, ProductShape{64, 1500, 300}}) {
    ExpectPanels(ProviderCase("Gemm", attributes)
                     .Input(RandomFloats({shape.rows, shape.depth}, -1, 1, 1))
                     .Constant(RandomFloats({shape.columns, shape.depth}, -1, 1, 2))
                     .Constant(RandomFloats(Shape({shape.columns}), -1, 1, 3))
                     .Then("HardSwish"),
                 1e-5);
  }
}

TEST(PanelKernel, TakesPointwiseConvolutionsOfChannelsLastValues) {
  ProviderCase test = ProviderCase("Conv")
                          .Input(RandomFloats({2, 19, 7, 5}, -1, 1, 1))
                          .Constant(RandomFloats({35, 19, 1, 1}, -1, 1, 2))
                          .Constant(RandomFloats(Shape({35}), -1, 1, 3))
                          .ThenWith("Add", RandomFloats({2, 35, 7, 5}, -1, 1, 4))
                          .Then("Swish");
  EXPECT_NE(test.ExpectAgrees(3e-6), "");
  CpuProvider provider;
  PrepareContext context;
  context.candidate = "product";
  ASSERT_TRUE(test.Run(provider, context).ok());
  EXPECT_EQ(test.kernel()->description(), "simd:1x1 panels+Add+Swish");
}

TEST(PanelKernel, KeepsNanAndInfinity) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Tensor x = RandomFloats({9, 8}, -1, 1, 1);
  x.mutable_data<float>()[0] = std::nanf("");
  x.mutable_data<float>()[8] = kInf;
  ProviderCase test =
      ProviderCase("MatMul").Input(x).Constant(RandomFloats({8, 40}, 0.5, 1, 2)).Then("Relu");
  CpuProvider provider;
  const auto y = test.Run(provider, PrepareContext());
  ASSERT_TRUE(y.ok()) << y.status();
  EXPECT_TRUE(std::isnan(y->data<float>()[0]));
  EXPECT_EQ(y->data<float>()[40], kInf);
  EXPECT_FALSE(std::isnan(y->data<float>()[80]));
}

TEST(PanelProduct, UnpacksTheColumnsThatItPacked) {
  for (const ProductShape& shape : {ProductShape{0, 7, 5}, ProductShape{0, 2600, 67},
                                    ProductShape{0, 30, 48}, ProductShape{0, 1281, 113}}) {
    const PanelProduct product{.depth = shape.depth, .columns = shape.columns};
    const Tensor columns = RandomFloats({shape.columns, shape.depth}, -1, 1, 1);
    std::vector<float> packed(product.packed_floats(), std::nanf(""));
    product.Pack(columns.data<float>(), /*transposed=*/true, packed.data());
    std::vector<float> column(shape.depth);
    for (int64_t c = 0; c < shape.columns; ++c) {
      product.Unpack(packed.data(), c, column.data());
      const float* expected = columns.data<float>() + c * shape.depth;
      EXPECT_TRUE(std::equal(column.begin(), column.end(), expected)) << "column " << c;
    }
    for (const float value : packed) EXPECT_FALSE(std::isnan(value));
  }
}

}  // namespace
}  // namespace inferd::cpu
