#include "engine/input_check.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

const std::vector<std::string> kSymbols = {"n"};

TensorInfo Rows(const std::string& name) {
  TensorInfo info;
  info.name = name;
  info.type = ValueType::OfTensor(DType::kFloat32, {Dim::Symbol(0), 3});
  info.dim_names = {"n", "3"};
  return info;
}

Tensor Floats(const Shape& shape) { return Tensor::View(DType::kFloat32, shape, nullptr); }

std::string MessageOf(const std::vector<Tensor>& inputs) {
  const absl::Status status = CheckInputs(inputs, {Rows("a"), Rows("b")}, kSymbols);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(InputCheck, TakesEqualSizesOfADimensionsName) {
  EXPECT_EQ(MessageOf({Floats(Shape({5, 3})), Floats(Shape({5, 3}))}), "");
}

TEST(InputCheck, NamesWhatIsWrong) {
  EXPECT_EQ(MessageOf({Floats(Shape({5, 3}))}), "expected 2 inputs, got 1");
  EXPECT_EQ(MessageOf({Floats(Shape({5, 3})), Floats(Shape({5, 4}))}),
            "input 'b': expected float32[n,3], got float32[5,4]");
  EXPECT_EQ(MessageOf({Tensor::View(DType::kInt32, Shape({5, 3}), nullptr), Floats(Shape({5, 3}))}),
            "input 'a': expected float32[n,3], got int32[5,3]");
  EXPECT_EQ(MessageOf({Floats(Shape({5, 3})), Floats(Shape({6, 3}))}),
            "input 'b': dimension 0 ('n') is 6, but another input has 5");
}

}  // namespace
}  // namespace inferd
