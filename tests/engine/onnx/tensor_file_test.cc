#include "engine/onnx/tensor_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "onnx/onnx-data_pb.h"

namespace inferd {
namespace {

::onnx::TensorProto Scalar(float value) {
  ::onnx::TensorProto proto;
  proto.set_data_type(::onnx::TensorProto::FLOAT);
  proto.add_float_data(value);
  return proto;
}

template <typename Proto>
absl::StatusOr<Tensor> ReadBack(const Proto& proto, ValueKind kind) {
  const std::string path =
      ::testing::TempDir() + "/tensor_file_test_" + std::to_string(getpid()) + ".pb";
  std::ofstream(path, std::ios::binary) << proto.SerializeAsString();
  auto value = ReadTensorFile(path, kind);
  unlink(path.c_str());
  return value;
}

TEST(TensorFile, ReadsTensors) {
  const auto tensor = ReadBack(Scalar(2), ValueKind::kTensor);
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->data<float>()[0], 2);
}

TEST(TensorFile, ReadsSequences) {
  ::onnx::SequenceProto proto;
  proto.set_elem_type(::onnx::SequenceProto::TENSOR);
  *proto.add_tensor_values() = Scalar(1);
  *proto.add_tensor_values() = Scalar(2);
  const auto sequence = ReadBack(proto, ValueKind::kSequence);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  ASSERT_EQ(sequence->elements().size(), 2u);
  EXPECT_EQ(sequence->elements()[1].data<float>()[0], 2);
}

TEST(TensorFile, ReadsOptionals) {
  ::onnx::OptionalProto proto;
  proto.set_elem_type(::onnx::OptionalProto::TENSOR);
  EXPECT_TRUE(ReadBack(proto, ValueKind::kOptional)->elements().empty());
  *proto.mutable_tensor_value() = Scalar(3);
  const auto optional = ReadBack(proto, ValueKind::kOptional);
  ASSERT_TRUE(optional.ok()) << optional.status();
  EXPECT_EQ(optional->kind(), ValueKind::kOptional);
  EXPECT_EQ(optional->elements()[0].data<float>()[0], 3);
}

TEST(TensorFile, ReadsMapsAsTwoTensors) {
  ::onnx::MapProto proto;
  proto.set_key_type(::onnx::TensorProto::STRING);
  proto.add_string_keys("a");
  proto.add_string_keys("b");
  *proto.mutable_values()->add_tensor_values() = Scalar(1);
  *proto.mutable_values()->add_tensor_values() = Scalar(2);
  const auto map = ReadBack(proto, ValueKind::kMap);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->elements()[0].data<std::string>()[1], "b");
  EXPECT_EQ(map->elements()[1].data<float>()[1], 2);
}

TEST(TensorFile, NamesTheFileInErrors) {
  const auto tensor = ReadTensorFile("/does/not/exist.pb", ValueKind::kTensor);
  EXPECT_NE(tensor.status().message().find("/does/not/exist.pb"), absl::string_view::npos);
  ::onnx::TensorProto empty;
  EXPECT_FALSE(ReadBack(empty, ValueKind::kTensor).ok());
}

}  // namespace
}  // namespace inferd
