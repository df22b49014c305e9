#include "tests/support/model_builder.h"

namespace inferd::testing {
namespace {

::onnx::NodeProto& Fill(::onnx::NodeProto& node, absl::string_view op_type,
                        ModelBuilder::Names inputs, ModelBuilder::Names outputs) {
  node.set_op_type(std::string(op_type));
  for (const char* input : inputs) node.add_input(input);
  for (const char* output : outputs) node.add_output(output);
  return node;
}

::onnx::AttributeProto& AddAttribute(::onnx::NodeProto& node, absl::string_view name,
                                     ::onnx::AttributeProto::AttributeType type) {
  ::onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(std::string(name));
  attribute.set_type(type);
  return attribute;
}

}  // namespace

ModelBuilder::ModelBuilder(int64_t opset, int64_t ir_version) {
  proto_.set_ir_version(ir_version);
  proto_.mutable_graph()->set_name("test");
  Import("", opset);
}

void ModelBuilder::Import(absl::string_view domain, int64_t version) {
  auto& import = *proto_.add_opset_import();
  import.set_domain(std::string(domain));
  import.set_version(version);
}

void ModelBuilder::Input(absl::string_view name, DType dtype, std::vector<int64_t> dims) {
  AddValue(graph().mutable_input(), name, dtype, std::move(dims));
}

void ModelBuilder::NamedInput(absl::string_view name, DType dtype, std::vector<std::string> dims) {
  AddValue(graph().mutable_input(), name, dtype, std::vector<int64_t>(dims.size(), -1));
  auto& shape =
      *graph().mutable_input()->rbegin()->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (size_t i = 0; i < dims.size(); ++i) {
    shape.mutable_dim(static_cast<int>(i))->set_dim_param(dims[i]);
  }
}

void ModelBuilder::Output(absl::string_view name) {
  graph().add_output()->set_name(std::string(name));
}

::onnx::NodeProto& ModelBuilder::Node(absl::string_view op_type, Names inputs, Names outputs) {
  return AddNode(graph(), op_type, inputs, outputs);
}

::onnx::FunctionProto& ModelBuilder::Function(absl::string_view name, Names inputs, Names outputs,
                                              int64_t opset) {
  ::onnx::FunctionProto& function = *proto_.add_functions();
  function.set_name(std::string(name));
  function.set_domain("test");
  for (const char* input : inputs) function.add_input(input);
  for (const char* output : outputs) function.add_output(output);
  function.add_opset_import()->set_version(opset);
  return function;
}

::onnx::TensorProto& ModelBuilder::Floats(absl::string_view name, std::vector<int64_t> dims,
                                          std::vector<float> values) {
  ::onnx::TensorProto& tensor = *graph().add_initializer();
  tensor.set_name(std::string(name));
  tensor.set_data_type(::onnx::TensorProto::FLOAT);
  for (int64_t dim : dims) tensor.add_dims(dim);
  for (float value : values) tensor.add_float_data(value);
  return tensor;
}

::onnx::TensorProto& ModelBuilder::Int64s(absl::string_view name, std::vector<int64_t> dims,
                                          std::vector<int64_t> values) {
  ::onnx::TensorProto& tensor = *graph().add_initializer();
  tensor.set_name(std::string(name));
  tensor.set_data_type(::onnx::TensorProto::INT64);
  for (int64_t dim : dims) tensor.add_dims(dim);
  for (int64_t value : values) tensor.add_int64_data(value);
  return tensor;
}

::onnx::NodeProto& AddNode(::onnx::GraphProto& graph, absl::string_view op_type,
                           ModelBuilder::Names inputs, ModelBuilder::Names outputs) {
  return Fill(*graph.add_node(), op_type, inputs, outputs);
}

::onnx::NodeProto& AddNode(::onnx::FunctionProto& function, absl::string_view op_type,
                           ModelBuilder::Names inputs, ModelBuilder::Names outputs) {
  return Fill(*function.add_node(), op_type, inputs, outputs);
}

void AddValue(google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto>* list,
              absl::string_view name, DType dtype, std::vector<int64_t> dims) {
  ::onnx::ValueInfoProto& value = *list->Add();
  value.set_name(std::string(name));
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(dtype));
  type.mutable_shape();
  for (int64_t dim : dims) {
    auto& added = *type.mutable_shape()->add_dim();
    if (dim >= 0) added.set_dim_value(dim);
  }
}

::onnx::AttributeProto& SetInt(::onnx::NodeProto& node, absl::string_view name, int64_t value) {
  auto& attribute = AddAttribute(node, name, ::onnx::AttributeProto::INT);
  attribute.set_i(value);
  return attribute;
}

::onnx::AttributeProto& SetFloat(::onnx::NodeProto& node, absl::string_view name, float value) {
  auto& attribute = AddAttribute(node, name, ::onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
  return attribute;
}

::onnx::AttributeProto& SetString(::onnx::NodeProto& node, absl::string_view name,
                                  absl::string_view value) {
  auto& attribute = AddAttribute(node, name, ::onnx::AttributeProto::STRING);
  attribute.set_s(std::string(value));
  return attribute;
}

::onnx::AttributeProto& SetInts(::onnx::NodeProto& node, absl::string_view name,
                                std::vector<int64_t> values) {
  auto& attribute = AddAttribute(node, name, ::onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute.add_ints(value);
  return attribute;
}

::onnx::GraphProto& SetGraph(::onnx::NodeProto& node, absl::string_view name) {
  auto& graph = *AddAttribute(node, name, ::onnx::AttributeProto::GRAPH).mutable_g();
  graph.set_name(std::string(name));
  return graph;
}

void SetReference(::onnx::NodeProto& node, absl::string_view name, absl::string_view referred,
                  ::onnx::AttributeProto::AttributeType type) {
  AddAttribute(node, name, type).set_ref_attr_name(std::string(referred));
}

ModelBuilder ReluModel() {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {2});
  model.Node("Relu", {"x"}, {"y"}).set_name("act");
  model.Output("y");
  return model;
}

}  // namespace inferd::testing
