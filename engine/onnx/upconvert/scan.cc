// Scan of opset 8, which works on a batch of sequences.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

// How many of Scan-8's inputs are what. Its inputs are sequence_lens, states and scan inputs.
struct ScanCounts {
  size_t states;
  size_t scanned;
  size_t captured;
  bool has_lengths;
};

absl::StatusOr<ScanCounts> CountInputs(const OnnxNode& node, const Graph& body) {
  const int64_t scanned = node.attributes.Int("num_scan_inputs", 0);
  const int64_t given = static_cast<int64_t>(node.inputs.size()) - 1;
  const int64_t taken = static_cast<int64_t>(body.inputs().size());
  if (scanned >= 1 && scanned <= given && taken >= given) {
    return ScanCounts{.states = static_cast<size_t>(given - scanned),
                      .scanned = static_cast<size_t>(scanned),
                      .captured = static_cast<size_t>(taken - given),
                      .has_lengths = node.has_input(0)};
  }
  return absl::InvalidArgumentError(absl::StrCat("it has ", given, " states and scan inputs, ",
                                                 scanned, " of them scan inputs, and a body with ",
                                                 taken, " inputs"));
}

// What the body of the scan over the batch is built with.
class BatchBody {
 public:
  BatchBody(const Graph& inner, NodeEmitter& emitter) : inner_(inner), emitter_(emitter) {}

  Graph& graph() { return graph_; }

  // An input for the inner body's input i, with `more_dims` dimensions in front.
  ValueId AddInput(size_t i, int more_dims) {
    const ValueType& type = inner_.value(inner_.inputs()[i]).type;
    ValueType outer = type;
    if (type.is_tensor()) {
      outer.shape = type.shape.has_rank() ? SymbolicShape::OfRank(type.shape.rank() + more_dims)
                                          : SymbolicShape::UnknownRank();
    }
    return graph_.AddInput(absl::StrCat("input_", i), std::move(outer));
  }

  absl::StatusOr<ValueId> Emit(absl::string_view op_type, std::vector<ValueId> inputs,
                               Attributes attributes = {}) {
    OnnxNode node;
    node.op_type = std::string(op_type);
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    node.outputs = {graph_.AddValue("")};
    const ValueId output = node.outputs[0];
    RETURN_IF_ERROR(emitter_.Emit(std::move(node), graph_));
    return output;
  }

  ValueId Int64s(absl::Span<const int64_t> values) {
    const Shape shape{static_cast<int64_t>(values.size())};
    return graph_.AddConstant("", Tensor::FromValues<int64_t>(shape, values));
  }

  // The first `length` ([1]) slices of a sequence.
  absl::StatusOr<ValueId> Shorten(ValueId sequence, ValueId length) {
    return Emit("Slice", {sequence, Int64s({0}), length, Int64s({0})});
  }

  // `sequence` with zeros behind it, as long as `full`.
  absl::StatusOr<ValueId> Lengthen(ValueId sequence, ValueId length, ValueId full) {
    Attributes first;
    first.Set("start", int64_t{0});
    first.Set("end", int64_t{1});
    ASSIGN_OR_RETURN(const ValueId target, Emit("Shape", {full}, first));
    ASSIGN_OR_RETURN(const ValueId missing, Emit("Sub", {target, length}));
    Attributes joined;
    joined.Set("axis", int64_t{0});
    ASSIGN_OR_RETURN(const ValueId pads, Emit("Concat", {Int64s({0}), missing}, joined));
    return Emit("Pad", {sequence, pads, kNoValue, Int64s({0})});
  }

 private:
  const Graph& inner_;
  NodeEmitter& emitter_;
  Graph graph_;
};

// A body that runs the scan of one sequence: it takes the states, scan inputs and length of one
// batch entry and gives its final states and scan outputs.
absl::StatusOr<Graph> BuildBatchBody(const OnnxNode& node, const ScanCounts& counts,
                                     std::shared_ptr<const Graph> inner, NodeEmitter& emitter) {
  BatchBody body(*inner, emitter);
  OnnxNode scan;
  scan.op_type = "Scan";
  const size_t own = counts.states + counts.scanned;
  for (size_t i = 0; i < own; ++i) {
    scan.inputs.push_back(body.AddInput(i, i < counts.states ? 0 : 1));
  }
  const ValueId full = scan.inputs[counts.states];
  ValueId length = kNoValue;
  if (counts.has_lengths) {
    const ValueId scalar = body.graph().AddInput(
        "length", ValueType::OfTensor(DType::kInt64, SymbolicShape::Scalar()));
    ASSIGN_OR_RETURN(length, body.Emit("Unsqueeze", {scalar, body.Int64s({0})}));
    for (size_t i = counts.states; i < own; ++i) {
      ASSIGN_OR_RETURN(scan.inputs[i], body.Shorten(scan.inputs[i], length));
    }
  }
  std::vector<ValueId> captured;
  for (size_t i = 0; i < counts.captured; ++i) captured.push_back(body.AddInput(own + i, 0));
  scan.attributes.Set("num_scan_inputs", static_cast<int64_t>(counts.scanned));
  if (node.attributes.Has("directions")) {
    scan.attributes.Set("scan_input_directions", node.attributes.Ints("directions"));
  }
  scan.subgraphs["body"] = inner;
  for (size_t i = 0; i < inner->outputs().size(); ++i) {
    scan.outputs.push_back(body.graph().AddValue(""));
  }
  std::vector<ValueId> results = scan.outputs;
  RETURN_IF_ERROR(emitter.Emit(std::move(scan), body.graph(), captured));
  for (size_t i = 0; i < results.size(); ++i) {
    if (counts.has_lengths && i >= counts.states) {
      ASSIGN_OR_RETURN(results[i], body.Lengthen(results[i], length, full));
    }
    body.graph().MarkOutput(results[i]);
  }
  return std::move(body.graph());
}

// A scan over the batch whose body is a scan over one sequence, both of the newest form.
absl::Status UnbatchScan(OnnxNode& node, ConversionContext& context) {
  const auto inner = node.subgraphs.find("body");
  if (inner == node.subgraphs.end() || node.inputs.empty()) {
    return absl::InvalidArgumentError("it needs attribute body (graph) and inputs");
  }
  ASSIGN_OR_RETURN(const ScanCounts counts, CountInputs(node, *inner->second));
  ASSIGN_OR_RETURN(Graph outer, BuildBatchBody(node, counts, inner->second, context.emitter()));
  const ValueId lengths = node.inputs[0];
  node.inputs.erase(node.inputs.begin());
  if (counts.has_lengths) node.inputs.push_back(lengths);
  inner->second = std::make_shared<const Graph>(std::move(outer));
  node.attributes.Erase("directions");
  node.attributes.Set("num_scan_inputs", static_cast<int64_t>(node.inputs.size()));
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {{"", "Scan", 9, UnbatchScan}};

}  // namespace

absl::Span<const Conversion> ScanConversions() { return kRows; }

}  // namespace inferd
