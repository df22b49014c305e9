// Scan of opset 8, which ran over a batch of sequences: a Scan over the batch around one over the
// sequence.
#include <memory>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/onnx/type_reader.h"
#include "engine/onnx/upconvert/conversion.h"
#include "engine/onnx/upconvert/take_attribute.h"

namespace inferd {
namespace {

// The body of the Scan over the batch. Its inputs are those of the inner Scan, then the sequence's
// length when it has one, then what the inner body captures. Used by one thread at a time.
class BatchBody {
 public:
  BatchBody(ConversionContext& context, Graph& graph) : context_(context), graph_(graph) {}

  // `first_scan` is the position of the first scan input, whose length all share.
  absl::Status Build(OnnxNode inner, size_t first_scan, bool has_length, size_t outputs,
                     const std::vector<ValueId>& captured) {
    if (has_length) {
      ASSIGN_OR_RETURN(const ValueId shape, Emit("Shape", {inner.inputs[first_scan]}));
      ASSIGN_OR_RETURN(const ValueId longest, Emit("Slice", {shape, Int64s({0}), Int64s({1})}));
      ASSIGN_OR_RETURN(const ValueId missing, Emit("Sub", {longest, length_}));
      Attributes first_axis;
      first_axis.Set("axis", int64_t{0});
      ASSIGN_OR_RETURN(padding_, Emit("Concat", {Int64s({0}), missing}, first_axis));
      for (size_t i = first_scan; i < inner.inputs.size(); ++i) {
        ASSIGN_OR_RETURN(inner.inputs[i], Emit("Slice", {inner.inputs[i], Int64s({0}), length_}));
      }
    }
    for (size_t i = 0; i < outputs; ++i) inner.outputs.push_back(graph_.AddValue(""));
    std::vector<ValueId> results = inner.outputs;
    RETURN_IF_ERROR(context_.EmitInto(graph_, std::move(inner), captured));
    for (size_t i = 0; i < results.size(); ++i) {
      if (has_length && i >= first_scan) {
        ASSIGN_OR_RETURN(results[i], Emit("Pad", {results[i], padding_, kNoValue, Int64s({0})}));
      }
      graph_.MarkOutput(results[i]);
    }
    return absl::OkStatus();
  }

  absl::Status AddLength() {
    const ValueId length =
        graph_.AddInput("", ValueType::OfTensor(DType::kInvalid, SymbolicShape::Scalar()));
    Attributes to_int64;
    to_int64.Set("to", static_cast<int64_t>(DType::kInt64));
    ASSIGN_OR_RETURN(const ValueId wide, Emit("Cast", {length}, to_int64));
    ASSIGN_OR_RETURN(length_, Emit("Unsqueeze", {wide, Int64s({0})}));
    return absl::OkStatus();
  }

 private:
  ValueId Int64s(std::vector<int64_t> values) {
    const Shape shape{static_cast<int64_t>(values.size())};
    return graph_.AddConstant("", Tensor::FromValues<int64_t>(shape, absl::MakeSpan(values)));
  }
  absl::StatusOr<ValueId> Emit(absl::string_view op_type, std::vector<ValueId> inputs,
                               Attributes attributes = {}) {
    OnnxNode node;
    node.op_type = std::string(op_type);
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    const ValueId output = graph_.AddValue("");
    node.outputs = {output};
    RETURN_IF_ERROR(context_.EmitInto(graph_, std::move(node), {}));
    return output;
  }

  ConversionContext& context_;
  Graph& graph_;
  ValueId length_ = kNoValue;   // int64 [1]
  ValueId padding_ = kNoValue;  // int64 [2]
};

absl::Status ConvertBatchedScan(OnnxNode& node, ConversionContext& context) {
  using Ints = std::vector<int64_t>;
  const auto body = node.subgraphs.find("body");
  if (body == node.subgraphs.end()) {
    return absl::InvalidArgumentError("attribute body (graph) is missing");
  }
  ASSIGN_OR_RETURN(const int64_t scans, TakeRequired<int64_t>(node, "num_scan_inputs"));
  ASSIGN_OR_RETURN(Ints directions, Take<Ints>(node, "directions", {}));
  const size_t own = node.inputs.empty() ? 0 : node.inputs.size() - 1;
  const Graph& inner_body = *body->second;
  if (scans < 1 || static_cast<size_t>(scans) > own || inner_body.inputs().size() < own) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", own, " states and scan inputs, num_scan_inputs is ", scans,
                     " and the body has ", inner_body.inputs().size(), " inputs"));
  }
  const bool has_length = node.has_input(0);
  OnnxNode inner;
  inner.op_type = "Scan";
  inner.attributes.Set("num_scan_inputs", scans);
  if (!directions.empty()) inner.attributes.Set("scan_input_directions", std::move(directions));
  inner.subgraphs = node.subgraphs;
  auto graph = std::make_shared<Graph>();
  const auto add_input = [&](size_t i) {
    ValueType type =
        TranslateSymbols(inner_body.value(inner_body.inputs()[i]).type, inner_body, *graph);
    if (type.is_tensor()) type.shape = SymbolicShape::UnknownRank();
    return graph->AddInput("", std::move(type));
  };
  for (size_t i = 0; i < own; ++i) inner.inputs.push_back(add_input(i));
  BatchBody batch(context, *graph);
  if (has_length) RETURN_IF_ERROR(batch.AddLength());
  std::vector<ValueId> captured;
  for (size_t i = own; i < inner_body.inputs().size(); ++i) captured.push_back(add_input(i));
  RETURN_IF_ERROR(batch.Build(std::move(inner), own - static_cast<size_t>(scans), has_length,
                              inner_body.outputs().size(), captured));
  const ValueId lengths = node.inputs[0];
  node.inputs.erase(node.inputs.begin());
  if (has_length) node.inputs.push_back(lengths);
  node.attributes = {};
  node.attributes.Set("num_scan_inputs", static_cast<int64_t>(node.inputs.size()));
  body->second = std::move(graph);
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Scan", 9, ConvertBatchedScan},
};

}  // namespace

absl::Span<const Conversion> ScanConversions() { return kRows; }

}  // namespace inferd
