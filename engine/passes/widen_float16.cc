#include "engine/passes/widen_float16.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/cast_constant.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// Besides elementwise operators and views: those that take every float type, the same for all of
// their float operands, and name none in an attribute.
constexpr absl::string_view kOps[] = {
    "Attention",
    "AveragePool",
    "BatchNormalization",
    "Concat",
    "Conv",
    "ConvTranspose",
    "DepthToSpace",
    "Expand",
    "GRU",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GroupNormalization",
    "InstanceNormalization",
    "LSTM",
    "LayerNormalization",
    "LogSoftmax",
    "MatMul",
    "MaxPool",
    "Pad",
    "RMSNormalization",
    "RNN",
    "ReduceL1",
    "ReduceL2",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "Resize",
    "Slice",
    "Softmax",
    "SpaceToDepth",
    "Split",
    "Transpose",
};
// Elementwise or views, but about types.
constexpr absl::string_view kTyped[] = {"BitCast", "Cast", "CastLike", "Optional"};

template <size_t N>
bool IsOneOf(const absl::string_view (&names)[N], absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Moves float16 arithmetic to float32: all of it where it is narrowed again when shapes are bound
// (precision fp16 or bf16), so that passes see floats; else what no provider runs. Used once, by
// one thread.
class Widener {
 public:
  Widener(Graph& graph, const PassContext& context)
      : graph_(graph),
        context_(context),
        all_(context.config.precision == Precision::kFloat16 ||
             context.config.precision == Precision::kBfloat16) {}

  absl::StatusOr<int> Run() {
    int changes = 0;
    const int count = graph_.num_nodes();  // what is added needs no look
    for (NodeId id = 0; id < count; ++id) {
      if (graph_.node(id).removed) continue;
      if (graph_.node(id).op->name == "Cast") {
        changes += IsHalf(graph_.node(id).outputs[0]) ? WidenCast(id) : PassCast(id);
      } else if (CanWiden(graph_.node(id))) {
        RETURN_IF_ERROR(Widen(id));
        ++changes;
      }
    }
    return changes;
  }

 private:
  bool Is(ValueId id, DType dtype) const {
    return id != kNoValue && graph_.value(id).type.is_tensor() &&
           graph_.value(id).type.dtype == dtype;
  }
  bool IsHalf(ValueId id) const { return Is(id, DType::kFloat16); }

  bool CanWiden(const Node& node) const {
    if (!node.op->domain.empty() || !node.subgraphs.empty() || !node.epilogue.empty()) return false;
    const bool simple =
        node.op->op_class == OpClass::kElementwise || node.op->op_class == OpClass::kView;
    if (IsOneOf(kTyped, node.op->name) || !(simple || IsOneOf(kOps, node.op->name))) return false;
    const auto half = [this](ValueId id) { return IsHalf(id); };
    if (!std::any_of(node.inputs.begin(), node.inputs.end(), half)) return false;
    // Rows of a table come as well in half the bytes.
    const bool looks_up = node.op->name == "Gather" && graph_.constant(node.inputs[0]) != nullptr;
    return (all_ && !looks_up) || !context_.Accelerated(graph_, node);
  }

  // The float32 value that stands for a float16 one.
  absl::StatusOr<ValueId> Wide(ValueId half) {
    if (Recorded(half) != kNoValue) return Recorded(half);
    ValueId wide = kNoValue;
    if (const Tensor* constant = graph_.constant(half)) {
      ASSIGN_OR_RETURN(Tensor values, CastConstant(*constant, DType::kFloat32));
      wide = graph_.AddConstant("", std::move(values));
    } else {
      wide = AddWideValue(half);
      AddCast(half, wide, DType::kFloat32);
    }
    Record(half, wide);
    return wide;
  }

  ValueId Recorded(ValueId half) const {
    return static_cast<size_t>(half) < wide_.size() ? wide_[half] : kNoValue;
  }
  void Record(ValueId half, ValueId wide) {
    if (wide_.size() <= static_cast<size_t>(half)) wide_.resize(half + 1, kNoValue);
    wide_[half] = wide;
  }

  ValueId AddWideValue(ValueId half) {
    ValueType type = graph_.value(half).type;
    type.dtype = DType::kFloat32;
    return graph_.AddValue("", std::move(type));
  }

  void AddCast(ValueId from, ValueId to, DType dtype) {
    Node cast;
    cast.op = &OpRegistry::Builtin().Get("", "Cast");
    cast.inputs = {from};
    cast.outputs = {to};
    cast.attributes.Set("to", static_cast<int64_t>(dtype));
    graph_.AddNode(std::move(cast));
  }

  absl::Status Widen(NodeId id) {
    Node node = graph_.node(id);
    for (ValueId& input : node.inputs) {
      if (IsHalf(input)) {
        ASSIGN_OR_RETURN(input, Wide(input));
      }
    }
    const std::vector<ValueId> outputs = node.outputs;
    for (ValueId& output : node.outputs) {
      if (IsHalf(output)) output = AddWideValue(output);
    }
    graph_.RemoveNode(id);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == node.outputs[i]) continue;
      AddCast(node.outputs[i], outputs[i], DType::kFloat16);
      Record(outputs[i], node.outputs[i]);
    }
    graph_.AddNode(std::move(node));
    return absl::OkStatus();
  }

  // Who turns what was widened back into float32 takes the float32 value itself: rounding it to
  // float16 and back would only lose digits.
  int PassCast(NodeId id) {
    const ValueId from = graph_.node(id).inputs[0], to = graph_.node(id).outputs[0];
    if (Recorded(from) == kNoValue || !Is(to, DType::kFloat32) || graph_.IsGraphOutput(to))
      return 0;
    graph_.ReplaceUses(to, Recorded(from));
    return 1;
  }

  // Where all is widened, what a Cast rounds to float16 is not: the precision says where to.
  int WidenCast(NodeId id) {
    const Node node = graph_.node(id);
    const ValueId from = node.inputs[0], to = node.outputs[0];
    if (!all_ || IsHalf(from) || !node.op->domain.empty()) return 0;
    if (Is(from, DType::kFloat32)) {
      Record(to, from);
      return 1;
    }
    const ValueId wide = AddWideValue(to);
    graph_.RemoveNode(id);
    AddCast(from, wide, DType::kFloat32);
    AddCast(wide, to, DType::kFloat16);
    Record(to, wide);
    return 1;
  }

  Graph& graph_;
  const PassContext& context_;
  const bool all_;
  std::vector<ValueId> wide_;  // by float16 value; kNoValue where there is none yet
};

}  // namespace

bool HasFloat16Weights(const Graph& graph) {
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || constant->kind() != ValueKind::kTensor) continue;
    if (constant->dtype() == DType::kFloat16 && constant->num_elements() > 1) return true;
  }
  return false;
}

absl::StatusOr<int> WidenFloat16(Graph& graph, const PassContext& context) {
  if (context.providers.empty() || !HasFloat16Weights(graph)) return 0;
  return Widener(graph, context).Run();
}

}  // namespace inferd
