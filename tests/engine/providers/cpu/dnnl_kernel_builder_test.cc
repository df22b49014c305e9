#include "engine/providers/cpu/dnnl_kernel_builder.h"

#include "gtest/gtest.h"

namespace inferd::cpu {
namespace {

class DnnlKernelBuilderTest : public testing::Test {
 protected:
  DnnlKernelBuilderTest() { context_.primitives = &table_; }

  Graph graph_;
  Node node_;
  PrimitiveTable table_;
  CpuPrepareContext context_;
};

TEST_F(DnnlKernelBuilderTest, TakesReferenceCodeOnlyWhenAllowed) {
  const auto create = [] { return DnnlPrimitive{.implementation = "ref:any"}; };
  DnnlKernelBuilder strict(graph_, node_, context_);
  EXPECT_TRUE(absl::IsUnimplemented(strict.Primitive("k", create).status()));
  context_.allow_reference = true;
  DnnlKernelBuilder lenient(graph_, node_, context_);
  EXPECT_TRUE(lenient.Primitive("k", create).ok());
}

TEST_F(DnnlKernelBuilderTest, TurnsExceptionsIntoStatus) {
  DnnlKernelBuilder builder(graph_, node_, context_);
  const auto fail = []() -> DnnlPrimitive { throw dnnl::error(dnnl_invalid_arguments, "bad"); };
  const absl::Status status = builder.Primitive("conv 1x2", fail).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "conv 1x2: oneDNN: bad");
}

TEST_F(DnnlKernelBuilderTest, KeepsPrimitivesOfThreadCountsApart) {
  const auto create = [] { return DnnlPrimitive{.implementation = "jit"}; };
  context_.threads = 1;
  const auto one = DnnlKernelBuilder(graph_, node_, context_).Primitive("k", create).value();
  context_.threads = 2;
  EXPECT_NE(one, DnnlKernelBuilder(graph_, node_, context_).Primitive("k", create).value());
}

}  // namespace
}  // namespace inferd::cpu
