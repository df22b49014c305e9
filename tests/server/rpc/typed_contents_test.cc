#include "server/rpc/typed_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/inference.pb.h"
#include "server/rpc/tensor_codec.h"

namespace inferd {
namespace {

using inference::InferTensorContents;
using ::testing::HasSubstr;

class TypedContents : public ::testing::Test {
 protected:
  absl::StatusOr<Tensor> Decode(absl::string_view datatype, std::vector<int64_t> shape) {
    shape_ = std::move(shape);
    return DecodeTensor({datatype, shape_, nullptr, &contents_}, &charge_);
  }
  void ExpectRefused(absl::string_view datatype, std::vector<int64_t> shape,
                     const std::string& text) {
    const absl::Status status = Decode(datatype, std::move(shape)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  std::vector<int64_t> shape_;
  InferTensorContents contents_;
  InflightBytes inflight_{1 << 20};
  InflightCharge charge_{&inflight_};
};

TEST_F(TypedContents, BorrowsFieldsOfTheSameWidth) {
  contents_.add_fp32_contents(0.5f);
  contents_.add_fp32_contents(2);
  const auto tensor = Decode("FP32", {2});
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->raw(), contents_.fp32_contents().data());
  EXPECT_EQ(tensor->data<float>()[1], 2);
}

TEST_F(TypedContents, ReadsEveryField) {
  contents_.add_bool_contents(true);
  EXPECT_TRUE(Decode("BOOL", {1})->data<bool>()[0]);
  contents_.Clear();
  contents_.add_int64_contents(-5);
  EXPECT_EQ(Decode("INT64", {1})->data<int64_t>()[0], -5);
  contents_.Clear();
  contents_.add_uint64_contents(~0ull);
  EXPECT_EQ(Decode("UINT64", {1})->data<uint64_t>()[0], ~0ull);
  contents_.Clear();
  contents_.add_fp64_contents(1e300);
  EXPECT_EQ(Decode("FP64", {1})->data<double>()[0], 1e300);
  contents_.Clear();
  contents_.add_int_contents(-6);
  EXPECT_EQ(Decode("INT32", {1})->data<int32_t>()[0], -6);
  contents_.Clear();
  contents_.add_uint_contents(6);
  EXPECT_EQ(Decode("UINT32", {1})->data<uint32_t>()[0], 6u);
  contents_.Clear();
  contents_.add_bytes_contents("day");
  EXPECT_EQ(Decode("BYTES", {1})->data<std::string>()[0], "day");
}

TEST_F(TypedContents, NarrowsSmallIntegers) {
  contents_.add_int_contents(-128);
  contents_.add_int_contents(127);
  const auto bytes = Decode("INT8", {2});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(bytes->data<int8_t>()[0], -128);
  EXPECT_EQ(Decode("INT16", {2})->data<int16_t>()[1], 127);
  contents_.Clear();
  contents_.add_uint_contents(255);
  EXPECT_EQ(Decode("UINT8", {1})->data<uint8_t>()[0], 255);
  EXPECT_EQ(Decode("UINT16", {1})->data<uint16_t>()[0], 255);
}

TEST_F(TypedContents, RefusesValuesThatDoNotFit) {
  contents_.add_int_contents(128);
  ExpectRefused("INT8", {1}, "element 0 is 128, which INT8 cannot hold");
  contents_.Clear();
  contents_.add_uint_contents(65536);
  ExpectRefused("UINT16", {1}, "element 0 is 65536");
}

TEST_F(TypedContents, RefusesAWrongNumberOfElements) {
  contents_.add_fp32_contents(1);
  ExpectRefused("FP32", {2}, "expected 2 elements for FP32[2], got 1 in fp32_contents");
  ExpectRefused("FP32", {0}, "expected 0 elements");
}

TEST_F(TypedContents, RefusesAnotherTypesField) {
  contents_.add_int64_contents(1);
  ExpectRefused("INT32", {1}, "got 0 in int_contents");
  contents_.add_int_contents(1);
  ExpectRefused("INT32", {1}, "int64_contents has 1 values, which datatype INT32 does not use");
}

TEST_F(TypedContents, HalfPrecisionHasNone) {
  ExpectRefused("FP16", {1}, "has no typed contents");
  contents_.add_fp32_contents(1);
  ExpectRefused("BF16", {1}, "send it in raw_input_contents");
}

TEST_F(TypedContents, EmptyMeansNoField) {
  EXPECT_TRUE(IsEmpty(contents_));
  contents_.add_bytes_contents("");
  EXPECT_FALSE(IsEmpty(contents_));
}

TEST_F(TypedContents, AnEmptyTensorNeedsNoField) {
  const auto tensor = Decode("INT64", {0, 3});
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->num_elements(), 0);
}

}  // namespace
}  // namespace inferd
