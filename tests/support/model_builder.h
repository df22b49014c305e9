#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/core/dtype.h"
#include "onnx/onnx_pb.h"

namespace inferd::testing {

// Builds ONNX models for tests in few lines. Sizes below 0 in shapes are unknown dimensions;
// NamedInput makes symbolic ones. Used by one thread at a time.
class ModelBuilder {
 public:
  using Names = std::initializer_list<const char*>;

  explicit ModelBuilder(int64_t opset = 28, int64_t ir_version = 10);

  ::onnx::ModelProto& proto() { return proto_; }
  ::onnx::GraphProto& graph() { return *proto_.mutable_graph(); }
  std::string Bytes() const { return proto_.SerializeAsString(); }

  void Import(absl::string_view domain, int64_t version);
  void Input(absl::string_view name, DType dtype, std::vector<int64_t> dims);
  void NamedInput(absl::string_view name, DType dtype, std::vector<std::string> dims);
  void Output(absl::string_view name);
  ::onnx::NodeProto& Node(absl::string_view op_type, Names inputs, Names outputs);
  // A function of one domain "test" unless said otherwise; it imports ai.onnx at `opset`.
  ::onnx::FunctionProto& Function(absl::string_view name, Names inputs, Names outputs,
                                  int64_t opset = 28);
  ::onnx::TensorProto& Floats(absl::string_view name, std::vector<int64_t> dims,
                              std::vector<float> values);
  ::onnx::TensorProto& Int64s(absl::string_view name, std::vector<int64_t> dims,
                              std::vector<int64_t> values);

 private:
  ::onnx::ModelProto proto_;
};

::onnx::NodeProto& AddNode(::onnx::GraphProto& graph, absl::string_view op_type,
                           ModelBuilder::Names inputs, ModelBuilder::Names outputs);
::onnx::NodeProto& AddNode(::onnx::FunctionProto& function, absl::string_view op_type,
                           ModelBuilder::Names inputs, ModelBuilder::Names outputs);
void AddValue(google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto>* list,
              absl::string_view name, DType dtype, std::vector<int64_t> dims);

::onnx::AttributeProto& SetInt(::onnx::NodeProto& node, absl::string_view name, int64_t value);
::onnx::AttributeProto& SetFloat(::onnx::NodeProto& node, absl::string_view name, float value);
::onnx::AttributeProto& SetString(::onnx::NodeProto& node, absl::string_view name,
                                  absl::string_view value);
::onnx::AttributeProto& SetInts(::onnx::NodeProto& node, absl::string_view name,
                                std::vector<int64_t> values);
// The empty graph attribute, to be filled.
::onnx::GraphProto& SetGraph(::onnx::NodeProto& node, absl::string_view name);
// Makes attribute `name` refer to attribute `referred` of the enclosing function.
void SetReference(::onnx::NodeProto& node, absl::string_view name, absl::string_view referred,
                  ::onnx::AttributeProto::AttributeType type);

// x -> Relu -> y over float32[2].
ModelBuilder ReluModel();

}  // namespace inferd::testing
