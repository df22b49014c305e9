#include "engine/onnx/tensor_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/model_builder.h"

namespace inferd {
namespace {

constexpr int64_t kLimit = 1 << 20;

::onnx::TensorProto MakeProto(DType dtype, std::vector<int64_t> dims) {
  ::onnx::TensorProto proto;
  proto.set_name("t");
  proto.set_data_type(static_cast<int>(dtype));
  for (int64_t dim : dims) proto.add_dims(dim);
  return proto;
}

absl::StatusOr<Tensor> Read(const ::onnx::TensorProto& proto) {
  TensorReader reader(nullptr, "", kLimit);
  return reader.Read(proto);
}

std::vector<int> Bytes(const Tensor& tensor) {
  const auto* bytes = static_cast<const int8_t*>(tensor.raw());
  return {bytes, bytes + tensor.byte_size()};
}

void ExpectError(const ::onnx::TensorProto& proto, const std::string& part) {
  const auto tensor = Read(proto);
  ASSERT_FALSE(tensor.ok());
  EXPECT_NE(tensor.status().message().find(part), absl::string_view::npos) << tensor.status();
  EXPECT_NE(tensor.status().message().find("tensor 't'"), absl::string_view::npos);
}

TEST(TensorReader, ReadsTypedFields) {
  auto floats = MakeProto(DType::kFloat32, {2});
  floats.add_float_data(1.5f);
  floats.add_float_data(2.5f);
  EXPECT_EQ(Read(floats)->data<float>()[1], 2.5f);
  auto doubles = MakeProto(DType::kFloat64, {});
  doubles.add_double_data(0.25);
  EXPECT_EQ(Read(doubles)->data<double>()[0], 0.25);
  auto complexes = MakeProto(DType::kComplex64, {1});
  complexes.add_float_data(1);
  complexes.add_float_data(2);
  EXPECT_EQ(Read(complexes)->data<std::complex<float>>()[0], std::complex<float>(1, 2));
  auto unsigneds = MakeProto(DType::kUint32, {1});
  unsigneds.add_uint64_data(4000000000u);
  EXPECT_EQ(Read(unsigneds)->data<uint32_t>()[0], 4000000000u);
  auto longs = MakeProto(DType::kInt64, {1});
  longs.add_int64_data(-5);
  EXPECT_EQ(Read(longs)->data<int64_t>()[0], -5);
  auto strings = MakeProto(DType::kString, {2});
  strings.add_string_data("a");
  strings.add_string_data("bc");
  EXPECT_EQ(Read(strings)->data<std::string>()[1], "bc");
}

TEST(TensorReader, ReadsSmallTypesFromInt32Data) {
  auto half = MakeProto(DType::kFloat16, {1});
  half.add_int32_data(0x3c00);
  EXPECT_EQ(static_cast<float>(Read(half)->data<Float16>()[0]), 1.0f);
  auto bytes = MakeProto(DType::kInt8, {2});
  bytes.add_int32_data(-128);
  bytes.add_int32_data(127);
  EXPECT_EQ(Bytes(*Read(bytes)), (std::vector<int>{-128, 127}));
  auto bools = MakeProto(DType::kBool, {2});
  bools.add_int32_data(7);
  bools.add_int32_data(0);
  EXPECT_EQ(Bytes(*Read(bools)), (std::vector<int>{1, 0}));
  auto nibbles = MakeProto(DType::kInt4, {3});
  nibbles.add_int32_data(0x8f);
  nibbles.add_int32_data(0x07);
  EXPECT_EQ(Bytes(*Read(nibbles)), (std::vector<int>{-1, -8, 7}));
  auto fp8 = MakeProto(DType::kFloat8E4m3fn, {1});
  fp8.add_int32_data(0x42);
  EXPECT_EQ(Bytes(*Read(fp8)), (std::vector<int>{0x42}));
}

TEST(TensorReader, UnpacksRawSubByteTypes) {
  auto uint4 = MakeProto(DType::kUint4, {5});
  uint4.set_raw_data(std::string("\x21\x43\x05", 3));
  EXPECT_EQ(Bytes(*Read(uint4)), (std::vector<int>{1, 2, 3, 4, 5}));
  auto fp4 = MakeProto(DType::kFloat4E2m1, {2});
  fp4.set_raw_data("\xf2");
  EXPECT_EQ(Bytes(*Read(fp4)), (std::vector<int>{2, 15}));
  auto int2 = MakeProto(DType::kInt2, {5});
  int2.set_raw_data("\xe4\x02");
  EXPECT_EQ(Bytes(*Read(int2)), (std::vector<int>{0, 1, -2, -1, -2}));
  auto uint2 = MakeProto(DType::kUint2, {4});
  uint2.add_int32_data(0xe4);
  EXPECT_EQ(Bytes(*Read(uint2)), (std::vector<int>{0, 1, 2, 3}));
}

TEST(TensorReader, NormalizesRawBools) {
  auto bools = MakeProto(DType::kBool, {2});
  bools.set_raw_data(std::string("\xff\x00", 2));
  EXPECT_EQ(Bytes(*Read(bools)), (std::vector<int>{1, 0}));
}

TEST(TensorReader, ReadsEmptyTensors) {
  const auto tensor = Read(MakeProto(DType::kFloat32, {0, 4}));
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->num_elements(), 0);
}

TEST(TensorReader, RefusesWrongSizes) {
  auto raw = MakeProto(DType::kFloat32, {2});
  raw.set_raw_data("1234567");
  ExpectError(raw, "has 7 bytes; float32[2] needs 8");
  auto typed = MakeProto(DType::kFloat32, {2});
  typed.add_float_data(1);
  ExpectError(typed, "1 values in the field for float32; float32[2] needs 2");
  auto other_field = MakeProto(DType::kFloat32, {1});
  other_field.add_int64_data(1);
  ExpectError(other_field, "0 values");
  auto both = MakeProto(DType::kFloat32, {1});
  both.set_raw_data("1234");
  both.add_float_data(1);
  ExpectError(both, "both raw and typed");
}

TEST(TensorReader, AllocatesNothingForShapesWithoutData) {
  ExpectError(MakeProto(DType::kFloat32, {1 << 30, 1 << 10}), "0 values");
  ExpectError(MakeProto(DType::kFloat32, {int64_t{1} << 40, int64_t{1} << 40}), "");
  ExpectError(MakeProto(DType::kFloat32, {-1}), "");
}

TEST(TensorReader, RefusesValuesTheTypeCannotHold) {
  auto bytes = MakeProto(DType::kUint8, {1});
  bytes.add_int32_data(256);
  ExpectError(bytes, "element 0 is 256, which uint8 cannot hold");
}

TEST(TensorReader, RefusesUnknownTypes) {
  auto proto = MakeProto(DType::kFloat32, {1});
  proto.set_data_type(0);
  ExpectError(proto, "unknown element type 0");
  proto.set_data_type(77);
  ExpectError(proto, "unknown element type 77");
}

TEST(TensorReader, StopsAtTheLimit) {
  TensorReader reader(nullptr, "", 6);
  auto proto = MakeProto(DType::kUint8, {4});
  proto.set_raw_data("1234");
  EXPECT_TRUE(reader.Read(proto).ok());
  EXPECT_EQ(reader.Read(proto).status().code(), absl::StatusCode::kResourceExhausted);
}

::onnx::SparseTensorProto SparseProto(std::vector<int64_t> index_dims,
                                      std::vector<int64_t> indices) {
  ::onnx::SparseTensorProto sparse;
  *sparse.mutable_values() = MakeProto(DType::kFloat32, {2});
  sparse.mutable_values()->add_float_data(5);
  sparse.mutable_values()->add_float_data(6);
  *sparse.mutable_indices() = MakeProto(DType::kInt64, index_dims);
  for (int64_t index : indices) sparse.mutable_indices()->add_int64_data(index);
  sparse.add_dims(2);
  sparse.add_dims(3);
  return sparse;
}

TEST(TensorReader, MakesSparseTensorsDense) {
  TensorReader reader(nullptr, "", kLimit);
  const auto flat = reader.ReadSparse(SparseProto({2}, {1, 5}));
  ASSERT_TRUE(flat.ok()) << flat.status();
  EXPECT_EQ(flat->values<float>(), (std::vector<float>{0, 5, 0, 0, 0, 6}));
  const auto rows = reader.ReadSparse(SparseProto({2, 2}, {0, 1, 1, 2}));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->values<float>(), (std::vector<float>{0, 5, 0, 0, 0, 6}));
}

TEST(TensorReader, RefusesHostileSparseTensors) {
  TensorReader reader(nullptr, "", int64_t{1} << 40);
  EXPECT_FALSE(reader.ReadSparse(SparseProto({2}, {1, 6})).ok());
  EXPECT_FALSE(reader.ReadSparse(SparseProto({2}, {-1, 0})).ok());
  EXPECT_FALSE(reader.ReadSparse(SparseProto({2, 2}, {0, 1, 2, 0})).ok());
  EXPECT_FALSE(reader.ReadSparse(SparseProto({1}, {1})).ok());
  auto huge = SparseProto({2}, {1, 5});
  huge.set_dims(0, int64_t{1} << 36);
  EXPECT_EQ(reader.ReadSparse(huge).status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace inferd
