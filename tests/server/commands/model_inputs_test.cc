#include "server/commands/model_inputs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "server/commands/npy.h"

namespace inferd {
namespace {

TensorInfo Info(const std::string& name, DType dtype, std::vector<Dim> dims,
                std::vector<std::string> names) {
  return {name, ValueType::OfTensor(dtype, SymbolicShape(std::move(dims))), std::move(names)};
}

std::vector<TensorInfo> BertInputs() {
  return {Info("ids", DType::kInt64, {Dim::Symbol(0), Dim::Symbol(1)}, {"batch", "sequence"}),
          Info("mask", DType::kInt64, {Dim::Symbol(0), Dim::Symbol(1)}, {"batch", "sequence"}),
          Info("extra", DType::kFloat32, {Dim::Symbol(0), 3, Dim()}, {"batch", "3", "?"})};
}

void ExpectError(const InputArguments& arguments, const std::string& part) {
  const auto inputs = MakeInputs(BertInputs(), arguments);
  ASSERT_FALSE(inputs.ok());
  EXPECT_NE(inputs.status().message().find(part), absl::string_view::npos) << inputs.status();
}

TEST(ModelInputs, DefaultsFreeDimensionsToOne) {
  const auto inputs = MakeInputs(BertInputs(), {});
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_EQ((*inputs)[0].shape(), (Shape{1, 1}));
  EXPECT_EQ((*inputs)[2].shape(), (Shape{1, 3, 1}));
}

TEST(ModelInputs, GivesEquallyNamedDimensionsEqualSizes) {
  const auto inputs = MakeInputs(BertInputs(), {.shapes = {"mask=2x16"}});
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_EQ((*inputs)[0].shape(), (Shape{2, 16}));
  EXPECT_EQ((*inputs)[1].shape(), (Shape{2, 16}));
  EXPECT_EQ((*inputs)[2].shape(), (Shape{2, 3, 1}));
}

TEST(ModelInputs, FillsFloatsFromASeedAndIntegersWithOnes) {
  const InputArguments arguments = {.shapes = {"extra=10x3x100"}};
  const auto first = MakeInputs(BertInputs(), arguments);
  const auto second = MakeInputs(BertInputs(), arguments);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ((*first)[0].values<int64_t>()[9], 1);
  const auto values = (*first)[2].values<float>();
  EXPECT_EQ(values, (*second)[2].values<float>());
  double sum = 0;
  double squares = 0;
  for (float value : values) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / values.size(), 0, 0.1);
  EXPECT_NEAR(squares / values.size(), 1, 0.1);
}

TEST(ModelInputs, ReadsFiles) {
  const std::string path = ::testing::TempDir() + "/model_inputs_test.npy";
  ASSERT_TRUE(WriteNpy(path, Tensor::FromValues<int64_t>(Shape{1, 2}, {7, 8})).ok());
  const auto inputs = MakeInputs(BertInputs(), {.files = {"ids=" + path}});
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  EXPECT_EQ((*inputs)[0].values<int64_t>()[1], 8);
  EXPECT_EQ((*inputs)[1].shape(), (Shape{1, 2}));
}

TEST(ModelInputs, RefusesWrongArguments) {
  ExpectError({.files = {"ids"}}, "expected NAME=VALUE");
  ExpectError({.files = {"words=a.npy"}}, "no input 'words'; its inputs are ids, mask, extra");
  ExpectError({.files = {"ids=/does/not/exist.npy"}}, "/does/not/exist.npy");
  ExpectError({.shapes = {"ids=1x2", "ids=1x2"}}, "given twice");
  ExpectError({.shapes = {"ids=1xtwo"}}, "'1xtwo' is no shape");
  ExpectError({.shapes = {"ids=-1"}}, "is no shape");
  ExpectError({.shapes = {"ids=1000000x1000000"}}, "input 'ids'");
}

TEST(ModelInputs, AsksForTheShapeOfInputsWithoutRank) {
  TensorInfo info;
  info.name = "x";
  info.type = ValueType::OfTensor(DType::kFloat32, SymbolicShape::UnknownRank());
  EXPECT_FALSE(MakeInputs({info}, {}).ok());
  EXPECT_TRUE(MakeInputs({info}, {.shapes = {"x="}}).ok());
}

TEST(ModelInputs, DescribesSignatures) {
  EXPECT_EQ(SignatureText(BertInputs()[2]), "float32[batch,3,?]");
}

}  // namespace
}  // namespace inferd
