#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/graph/graph.h"
#include "engine/onnx/attribute_reader.h"
#include "engine/onnx/function_table.h"
#include "engine/onnx/model_reader.h"
#include "engine/onnx/node_emitter.h"
#include "engine/onnx/onnx_node.h"
#include "engine/onnx/opset_versions.h"
#include "engine/onnx/tensor_reader.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// Turns a parsed model's graph into a Graph of canonical nodes: orders the nodes, makes constants,
// inlines functions, builds subgraphs with what they capture as explicit inputs, and up-converts.
// For one model; used by one thread at a time.
class GraphBuilder {
 public:
  // All must outlive the builder; `functions` and the model it points into stay unchanged.
  GraphBuilder(const OpRegistry& registry, const FunctionTable& functions, TensorReader& tensors)
      : emitter_(registry), functions_(functions), tensors_(tensors) {}

  // Builds the model's main graph. Initializers are freed one by one as their constants are made.
  absl::StatusOr<Graph> Build(const OpsetVersions& opsets, RawModel& model);

 private:
  using Nodes = google::protobuf::RepeatedPtrField<::onnx::NodeProto>;

  // Where names mean something: a graph or a function body.
  struct Scope {
    Graph& graph;
    const OpsetVersions& opsets;
    const AttributeScope* attributes = nullptr;  // of the enclosing function call
    std::string prefix;                          // of the names of values, in function bodies
    int depth = 0;
    absl::flat_hash_map<std::string, ValueId> names;
    // In function bodies: the caller's names for the body's outputs.
    absl::flat_hash_map<std::string, std::string> output_names;
  };
  // An outer value that a subgraph reads.
  struct Capture {
    std::string name;
    ValueId outer;
  };

  absl::Status Define(Scope& scope, const std::string& name, ValueId id);
  absl::StatusOr<ValueId> Lookup(const Scope& scope, const std::string& name) const;

  absl::Status AddInputs(const ::onnx::GraphProto& proto, Scope& scope);
  absl::Status AddInitializers(::onnx::GraphProto& proto, const std::vector<ByteRange>& raw,
                               Scope& scope);
  absl::Status AddOutputs(const ::onnx::GraphProto& proto, Scope& scope);

  absl::Status BuildNodes(const Nodes& nodes, Scope& scope);
  absl::Status BuildNode(const ::onnx::NodeProto& proto, Scope& scope);
  absl::Status BuildConstant(const ::onnx::NodeProto& proto, Scope& scope);
  absl::Status BuildOperator(const ::onnx::NodeProto& proto, int64_t version, Scope& scope);
  absl::Status BuildCall(const ::onnx::NodeProto& proto, const ModelFunction& function,
                         Scope& scope);
  absl::StatusOr<AttributeScope> CallAttributes(const ::onnx::NodeProto& proto,
                                                const ModelFunction& function, Scope& scope);
  absl::StatusOr<std::vector<ValueId>> ReadInputs(const ::onnx::NodeProto& proto,
                                                  const Scope& scope) const;
  absl::Status ReadAttributes(const ::onnx::NodeProto& proto, Scope& scope, OnnxNode& node);

  absl::Status BuildSubgraphs(const std::vector<const ::onnx::AttributeProto*>& protos,
                              Scope& scope, OnnxNode& node);
  absl::StatusOr<std::shared_ptr<const Graph>> BuildSubgraph(const ::onnx::GraphProto& proto,
                                                             const OnnxNode& node,
                                                             const std::vector<Capture>& captures,
                                                             Scope& outer);

  NodeEmitter emitter_;
  const FunctionTable& functions_;
  TensorReader& tensors_;
  int nodes_built_ = 0;
  int calls_built_ = 0;
  std::vector<const ::onnx::FunctionProto*> call_stack_;
  // Constants inside function bodies, made once for all calls.
  std::map<const ::onnx::NodeProto*, Tensor> body_constants_;
};

}  // namespace inferd
