#include "engine/passes/token_pooling.h"

#include <vector>

#include "engine/graph/op_def.h"

namespace inferd {
namespace {

// The numbers of a constant input; nullopt where it is absent or not known.
std::optional<std::vector<int64_t>> Numbers(const Graph& graph, const Node& node, int input) {
  if (input >= node.num_op_inputs()) return std::nullopt;
  const Tensor* constant = graph.constant(node.inputs[input]);
  if (constant == nullptr) return std::nullopt;
  auto numbers = constant->ToInt64s();
  if (!numbers.ok()) return std::nullopt;
  return *std::move(numbers);
}

// The only number of a constant input.
std::optional<int64_t> Number(const Graph& graph, const Node& node, int input) {
  const auto numbers = Numbers(graph, node, input);
  return numbers && numbers->size() == 1 ? std::optional((*numbers)[0]) : std::nullopt;
}

// The positions that the two bindings take, counted from the front or, below 0, from the end.
absl::string_view KindOf(const SequenceBindings& bindings, std::optional<int64_t> at_shorter,
                         std::optional<int64_t> at_longer) {
  if (!at_shorter || !at_longer) return "";
  if (*at_shorter == 0 && *at_longer == 0) return "first";
  const auto is_last = [](int64_t position, int64_t length) {
    return position == -1 || position == length - 1;
  };
  const bool last =
      is_last(*at_shorter, bindings.shorter_length) && is_last(*at_longer, bindings.longer_length);
  return last ? "last" : "";
}

int FromFront(int64_t axis, int rank) { return static_cast<int>(axis < 0 ? axis + rank : axis); }

// Axis `tokens` of the input became 1 or went away: then an axis of size 1 before it stands for the
// sequences.
std::optional<TokenPooling> Pooling(const SequenceBindings& bindings, const Node& node,
                                    absl::string_view kind, int tokens, bool keeps_axis) {
  const int axis = keeps_axis ? tokens : tokens - 1;
  const ValueId output = node.outputs[0];
  if (kind.empty() || axis < 0 || axis >= bindings.RankOf(output) ||
      bindings.LengthAxes(output) != 0 || bindings.ShapeOf(output)[axis] != 1) {
    return std::nullopt;
  }
  return TokenPooling{kind, {.kind = TokenForm::Kind::kSequences, .axis = axis}};
}

std::optional<TokenPooling> OfGather(const SequenceBindings& bindings, const Node& node, int axis) {
  if (FromFront(node.attributes.Int("axis", 0), bindings.RankOf(node.inputs[0])) != axis) {
    return std::nullopt;
  }
  const absl::string_view kind =
      KindOf(bindings, Number(*bindings.shorter, bindings.AtShorter(node), 1),
             Number(*bindings.longer, node, 1));
  return Pooling(bindings, node, kind, axis, bindings.RankOf(node.inputs[1]) > 0);
}

// Only one axis is cut, to a size of 1.
std::optional<TokenPooling> OfSlice(const SequenceBindings& bindings, const Node& node, int axis) {
  const auto cut = Number(*bindings.longer, node, 3);
  if (!cut || FromFront(*cut, bindings.RankOf(node.inputs[0])) != axis) return std::nullopt;
  const absl::string_view kind =
      KindOf(bindings, Number(*bindings.shorter, bindings.AtShorter(node), 1),
             Number(*bindings.longer, node, 1));
  return Pooling(bindings, node, kind, axis, true);
}

std::optional<TokenPooling> OfReduction(const SequenceBindings& bindings, const Node& node,
                                        int axis, absl::string_view kind) {
  const auto reduced = Number(*bindings.longer, node, 1);
  if (!reduced || FromFront(*reduced, bindings.RankOf(node.inputs[0])) != axis) {
    return std::nullopt;
  }
  return Pooling(bindings, node, kind, axis, node.attributes.Int("keepdims", 1) != 0);
}

bool IsSummable(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kInt32 ||
         dtype == DType::kInt64;
}

}  // namespace

std::optional<TokenPooling> PoolingOf(const SequenceBindings& bindings, const Node& node,
                                      const TokenForm& data) {
  if (!data.is_tokens() || data.uniform != 0 || !node.op->domain.empty() ||
      !node.epilogue.empty() || bindings.ShapeOf(node.inputs[0]).Product(0, data.axis) != 1) {
    return std::nullopt;
  }
  const DType dtype = bindings.longer->value(node.inputs[0]).type.dtype;
  const absl::string_view op = node.op->name;
  if (dtype == DType::kString) return std::nullopt;
  if (op == "Gather") return OfGather(bindings, node, data.axis);
  if (op == "Slice") return OfSlice(bindings, node, data.axis);
  if (!IsSummable(dtype)) return std::nullopt;
  if (op == "ReduceSum") return OfReduction(bindings, node, data.axis, "sum");
  if (op == "ReduceMean") return OfReduction(bindings, node, data.axis, "mean");
  if (op == "ReduceMax") return OfReduction(bindings, node, data.axis, "max");
  if (op == "ReduceMin") return OfReduction(bindings, node, data.axis, "min");
  return std::nullopt;
}

}  // namespace inferd
