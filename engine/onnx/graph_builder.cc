#include "engine/onnx/graph_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/constant_node.h"
#include "engine/onnx/name_text.h"
#include "engine/onnx/node_order.h"
#include "engine/onnx/type_reader.h"
#include "engine/onnx/upconvert/upconvert.h"

namespace inferd {
namespace {

// Nodes after inlining: functions that call functions can multiply without end.
constexpr int kMaxNodes = 500'000;
constexpr int kMaxGraphInputs = 16'384;

}  // namespace

absl::Status GraphBuilder::Define(Scope& scope, const std::string& name, ValueId id) {
  if (scope.names.emplace(name, id).second) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("value ", NameText(name), " is defined twice"));
}

absl::StatusOr<ValueId> GraphBuilder::Lookup(const Scope& scope, const std::string& name) const {
  if (name.empty()) return kNoValue;
  const auto it = scope.names.find(name);
  if (it != scope.names.end()) return it->second;
  return absl::InvalidArgumentError(
      absl::StrCat("it reads ", NameText(name), ", which no node, input or initializer defines"));
}

absl::StatusOr<Graph> GraphBuilder::Build(const OpsetVersions& opsets, RawModel& model) {
  ::onnx::GraphProto& proto = *model.proto.mutable_graph();
  Graph graph;
  graph.name = proto.name();
  Scope scope{.graph = graph, .opsets = opsets};
  RETURN_IF_ERROR(AddInitializers(proto, model.raw_data, scope));
  RETURN_IF_ERROR(AddInputs(proto, scope));
  RETURN_IF_ERROR(BuildNodes(proto.node(), scope));
  RETURN_IF_ERROR(AddOutputs(proto, scope));
  return graph;
}

absl::Status GraphBuilder::AddInitializers(::onnx::GraphProto& proto,
                                           const std::vector<ByteRange>& raw, Scope& scope) {
  for (int i = 0; i < proto.initializer_size(); ++i) {
    // The proto's copy of the data goes as soon as the constant stands.
    ::onnx::TensorProto tensor;
    tensor.Swap(proto.mutable_initializer(i));
    const ByteRange range = i < static_cast<int>(raw.size()) ? raw[i] : ByteRange();
    // Bodies are bound while requests run, so that their constants stay in memory.
    ASSIGN_OR_RETURN(Tensor constant, scope.depth == 0 ? tensors_.ReadLater(tensor, range)
                                                       : tensors_.Read(tensor, range));
    if (tensor.name().empty()) {
      return absl::InvalidArgumentError(absl::StrCat("initializer ", i, " has no name"));
    }
    const ValueId id = scope.graph.AddConstant(tensor.name(), std::move(constant));
    RETURN_IF_ERROR(Annotate(Define(scope, tensor.name(), id), "initializer"));
  }
  for (const auto& sparse : proto.sparse_initializer()) {
    ASSIGN_OR_RETURN(Tensor constant, tensors_.ReadSparse(sparse));
    const std::string& name = sparse.values().name();
    const ValueId id = scope.graph.AddConstant(name, std::move(constant));
    RETURN_IF_ERROR(Annotate(Define(scope, name, id), "sparse initializer"));
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::AddInputs(const ::onnx::GraphProto& proto, Scope& scope) {
  if (proto.input_size() > kMaxGraphInputs || proto.output_size() > kMaxGraphInputs) {
    return absl::ResourceExhaustedError(absl::StrCat("the graph has ", proto.input_size(),
                                                     " inputs and ", proto.output_size(),
                                                     " outputs; the limit is ", kMaxGraphInputs));
  }
  for (const auto& input : proto.input()) {
    const std::string where = absl::StrCat("graph input ", NameText(input.name()));
    if (input.name().empty()) return absl::InvalidArgumentError("a graph input has no name");
    const auto known = scope.names.find(input.name());
    // An initializer of the same name is a constant: overriding it per request would forbid every
    // optimization that reads it.
    if (known != scope.names.end() && scope.graph.constant(known->second) != nullptr) continue;
    absl::StatusOr<ValueType> type = ReadType(input.type(), scope.graph);
    if (!type.ok()) return Annotate(type.status(), where);
    const ValueId id = scope.graph.AddInput(input.name(), *std::move(type));
    RETURN_IF_ERROR(Annotate(Define(scope, input.name(), id), where));
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::AddOutputs(const ::onnx::GraphProto& proto, Scope& scope) {
  if (proto.output_size() == 0) return absl::InvalidArgumentError("the graph has no outputs");
  std::vector<std::string> names;
  for (const auto& output : proto.output()) {
    const std::string where = absl::StrCat("graph output ", NameText(output.name()));
    const auto it = scope.names.find(output.name());
    if (it == scope.names.end() || it->second == kNoValue) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, " is made by no node, input or initializer"));
    }
    Value& value = scope.graph.value(it->second);
    if (value.type.is_tensor() && value.type.dtype == DType::kInvalid) {
      absl::StatusOr<ValueType> type = ReadType(output.type(), scope.graph);
      if (!type.ok()) return Annotate(type.status(), where);
      value.type = *std::move(type);
    }
    scope.graph.MarkOutput(it->second);
    names.push_back(output.name());
  }
  scope.graph.SetOutputNames(std::move(names));
  return absl::OkStatus();
}

absl::Status GraphBuilder::BuildNodes(const Nodes& nodes, Scope& scope) {
  if (nodes.size() > kMaxNodes - nodes_built_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the model has more than ", kMaxNodes, " nodes, those of its functions' bodies included"));
  }
  nodes_built_ += nodes.size();
  for (const auto& node : nodes) {
    for (const std::string& output : node.output()) {
      if (output.empty() || !scope.names.contains(output)) continue;
      return absl::InvalidArgumentError(absl::StrCat(NodeText(node), " makes ", NameText(output),
                                                     ", which is an input or initializer already"));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<int> order, OrderNodes(nodes));
  for (int i : order) {
    RETURN_IF_ERROR(Annotate(BuildNode(nodes[i], scope), NodeText(nodes[i])));
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::BuildNode(const ::onnx::NodeProto& proto, Scope& scope) {
  const std::string domain(CanonicalDomain(proto.domain()));
  const ModelFunction* function = functions_.Find(proto);
  const bool built_in = emitter_.Knows(domain, proto.op_type()) && OverloadOf(proto).empty();
  // Our own kernel is at least as good as the body that the model brings for other engines.
  if (function != nullptr && !built_in) return BuildCall(proto, *function, scope);
  const std::optional<int64_t> version = scope.opsets.Version(domain);
  if (!version) {
    return absl::InvalidArgumentError(absl::StrCat(
        "operator ", NameText(proto.op_type()), " is of domain ", NameText(DomainText(domain)),
        ", which the model neither imports nor defines functions for"));
  }
  if (domain.empty() && proto.op_type() == "Constant") return BuildConstant(proto, scope);
  return BuildOperator(proto, *version, scope);
}

absl::Status GraphBuilder::BuildConstant(const ::onnx::NodeProto& proto, Scope& scope) {
  if (proto.output_size() != 1 || proto.input_size() != 0) {
    return absl::InvalidArgumentError(absl::StrCat("a Constant has no inputs and 1 output; got ",
                                                   proto.input_size(), " and ",
                                                   proto.output_size()));
  }
  const std::string& name = proto.output(0);
  if (name.empty()) return absl::OkStatus();
  absl::StatusOr<Tensor> constant;
  const auto known = body_constants_.find(&proto);
  if (known != body_constants_.end()) {
    constant = known->second;
  } else {
    constant = ReadConstantNode(proto, scope.attributes, tensors_);
    if (!constant.ok()) return constant.status();
    const bool refers = !proto.attribute().empty() && !proto.attribute(0).ref_attr_name().empty();
    if (scope.attributes != nullptr && !refers) body_constants_[&proto] = *constant;
  }
  const ValueId id =
      scope.graph.AddConstant(absl::StrCat(scope.prefix, name), *std::move(constant));
  return Define(scope, name, id);
}

absl::StatusOr<std::vector<ValueId>> GraphBuilder::ReadInputs(const ::onnx::NodeProto& proto,
                                                              const Scope& scope) const {
  std::vector<ValueId> inputs;
  inputs.reserve(proto.input_size());
  for (const std::string& name : proto.input()) {
    ASSIGN_OR_RETURN(const ValueId id, Lookup(scope, name));
    inputs.push_back(id);
  }
  return inputs;
}

absl::Status GraphBuilder::ReadAttributes(const ::onnx::NodeProto& proto, Scope& scope,
                                          OnnxNode& node) {
  std::vector<const ::onnx::AttributeProto*> graphs;
  for (const auto& given : proto.attribute()) {
    ASSIGN_OR_RETURN(const ::onnx::AttributeProto* attribute,
                     ResolveAttribute(given, scope.attributes));
    if (attribute == nullptr) continue;
    const bool duplicate = node.attributes.Has(given.name());
    if (duplicate || given.name().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "attribute ", NameText(given.name()), duplicate ? " is given twice" : " has no name"));
    }
    if (TypeOfAttribute(*attribute) == ::onnx::AttributeProto::GRAPH) {
      if (attribute != &given) {
        return absl::UnimplementedError(
            absl::StrCat("attribute ", NameText(given.name()),
                         " is a graph passed to a function, which is not supported"));
      }
      graphs.push_back(attribute);
      continue;
    }
    // An attribute without any value is as good as none.
    if (TypeOfAttribute(*attribute) == ::onnx::AttributeProto::UNDEFINED) continue;
    absl::StatusOr<Attributes::Value> value = ReadAttribute(*attribute, tensors_);
    if (!value.ok()) {
      return Annotate(value.status(), absl::StrCat("attribute ", NameText(given.name())));
    }
    node.attributes.Set(given.name(), *std::move(value));
  }
  return BuildSubgraphs(graphs, scope, node);
}

absl::Status GraphBuilder::BuildOperator(const ::onnx::NodeProto& proto, int64_t version,
                                         Scope& scope) {
  OnnxNode node;
  node.name = proto.name().empty() ? "" : absl::StrCat(scope.prefix, proto.name());
  node.domain = std::string(CanonicalDomain(proto.domain()));
  node.op_type = proto.op_type();
  node.version = version;
  if (!emitter_.Knows(node.domain, node.op_type) && !HasConversion(node.domain, node.op_type)) {
    return emitter_.Emit(std::move(node), scope.graph);  // says that it is unknown
  }
  ASSIGN_OR_RETURN(node.inputs, ReadInputs(proto, scope));
  RETURN_IF_ERROR(ReadAttributes(proto, scope, node));
  for (const std::string& name : proto.output()) {
    if (name.empty()) {
      node.outputs.push_back(kNoValue);
      continue;
    }
    const auto named = scope.output_names.find(name);
    const ValueId id = scope.graph.AddValue(
        named == scope.output_names.end() ? absl::StrCat(scope.prefix, name) : named->second);
    RETURN_IF_ERROR(Define(scope, name, id));
    node.outputs.push_back(id);
  }
  RETURN_IF_ERROR(Upconvert(node, scope.graph, emitter_));
  const std::vector<ValueId> captured = std::move(node.captured);
  RETURN_IF_ERROR(emitter_.Emit(std::move(node), scope.graph, captured));
  // Outputs that the newest form does not have are not there for others either.
  for (const std::string& name : proto.output()) {
    const auto it = scope.names.find(name);
    if (it != scope.names.end() && scope.graph.value(it->second).producer == kNoNode) {
      scope.names.erase(it);
    }
  }
  return absl::OkStatus();
}

}  // namespace inferd
