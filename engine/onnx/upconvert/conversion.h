#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"
#include "engine/onnx/node_emitter.h"
#include "engine/onnx/onnx_node.h"

namespace inferd {

// What a conversion may do besides editing its node: add constants and canonical nodes that come
// before it. Used by one thread at a time.
class ConversionContext {
 public:
  ConversionContext(Graph& graph, NodeEmitter& emitter) : graph_(graph), emitter_(emitter) {}

  ValueId Constant(Tensor tensor) { return graph_.AddConstant("", std::move(tensor)); }
  // A 1-D int64 constant.
  ValueId Int64s(absl::Span<const int64_t> values);
  ValueId Int64Scalar(int64_t value);
  // A scalar of `dtype`: float32, float64, float16, bfloat16 or an integer type.
  absl::StatusOr<ValueId> FloatScalar(DType dtype, float value);
  // Adds a node of the standard domain with one output, which it returns.
  absl::StatusOr<ValueId> Emit(absl::string_view op_type, std::vector<ValueId> inputs,
                               Attributes attributes = {});
  // Adds a copy of `node` whose output i is a new value, which it returns; `node` keeps that output
  // alone to make itself.
  absl::StatusOr<ValueId> EmitBefore(const OnnxNode& node, size_t i);

  // The values that a subgraph makes of `arguments`, which stand for its inputs and what it
  // captures: its nodes are put in line.
  absl::StatusOr<std::vector<ValueId>> Inline(const Graph& body,
                                              absl::Span<const ValueId> arguments);

  // Adds `node`, of the newest form, to the body of a subgraph. `captured` are the body's values
  // that the node's own subgraphs capture.
  absl::Status EmitInto(Graph& body, OnnxNode node, const std::vector<ValueId>& captured) {
    return emitter_.Emit(std::move(node), body, captured);
  }

  // What is known of a value by now.
  const Tensor* constant(ValueId id) const { return graph_.constant(id); }
  const ValueType& type(ValueId id) const { return graph_.value(id).type; }

 private:
  Graph& graph_;
  NodeEmitter& emitter_;
};

// One step from an older form of an operator to a newer one. A table row.
struct Conversion {
  absl::string_view domain;  // "" is ai.onnx
  absl::string_view op_type;
  int64_t before;  // for nodes of opsets below this
  absl::Status (*convert)(OnnxNode& node, ConversionContext& context);
};

// The tables, one a file. Rows of one operator are in the order in which they apply.
absl::Span<const Conversion> AxesConversions();
absl::Span<const Conversion> AttributeToInputConversions();
absl::Span<const Conversion> ResizeConversions();
absl::Span<const Conversion> SoftmaxConversions();
absl::Span<const Conversion> NormalizationConversions();
absl::Span<const Conversion> RenamedConversions();
absl::Span<const Conversion> RandomConversions();
absl::Span<const Conversion> BroadcastConversions();
absl::Span<const Conversion> ScanConversions();
absl::Span<const Conversion> MlConversions();
absl::Span<const Conversion> FlexAttentionConversions();
absl::Span<const Conversion> OptimizerConversions();
absl::Span<const Conversion> MicrosoftConversions();

}  // namespace inferd
