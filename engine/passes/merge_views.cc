#include <algorithm>
#include <optional>

#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// Elementwise nodes between two Transposes that are looked through.
constexpr int kMaxBetween = 8;

// Whether every value of `from` is one of `to`, so that casting by way of `to` changes nothing.
bool Holds(DType to, DType from) {
  if (to == from) return true;
  switch (from) {
    case DType::kBool:
      return to == DType::kInt8 || to == DType::kUint8 || to == DType::kInt32 ||
             to == DType::kInt64 || to == DType::kFloat16 || to == DType::kFloat32 ||
             to == DType::kFloat64;
    case DType::kFloat16:
    case DType::kBfloat16:
      return to == DType::kFloat32 || to == DType::kFloat64;
    case DType::kFloat32:
      return to == DType::kFloat64;
    case DType::kInt8:
    case DType::kUint8:
      return to == DType::kInt16 || to == DType::kInt32 || to == DType::kInt64 ||
             to == DType::kFloat32 || to == DType::kFloat64;
    case DType::kInt16:
    case DType::kUint16:
      return to == DType::kInt32 || to == DType::kInt64 || to == DType::kFloat32 ||
             to == DType::kFloat64;
    case DType::kInt32:
      return to == DType::kInt64 || to == DType::kFloat64;
    default:
      return false;
  }
}

// One walk over a graph. Used by one thread at a time.
class ViewMerger {
 public:
  ViewMerger(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), editor_(graph) {}

  int Run() {
    int changes = 0;
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      const Node& node = graph_.node(id);
      if (node.removed || !node.op->domain.empty() || !node.epilogue.empty() ||
          node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs.size() != 1) {
        continue;
      }
      const absl::string_view op = node.op->name;
      const bool changed = node.op->op_class == OpClass::kView ? MergeView(id)
                           : op == "Cast"                      ? MergeCasts(id)
                           : op == "Transpose" ? MergeTransposes(id) || CancelAround(id)
                           : op == "Concat"    ? JoinSplit(id) || JoinSlices(id) || Flatten(id)
                                               : false;
      if (changed) ++changes;
    }
    return changes;
  }

 private:
  bool Done(absl::string_view pattern) {
    context_.Count(pattern);
    return true;
  }

  const ValueType& TypeOf(ValueId value) const { return graph_.value(value).type; }

  bool Same(ValueId a, ValueId b) const {
    return TypeOf(a).is_tensor() && TypeOf(b).is_tensor() && TypeOf(a).dtype == TypeOf(b).dtype &&
           TypeOf(a).shape.SameAs(TypeOf(b).shape);
  }

  const Node* ViewThatMakes(ValueId value) const {
    const NodeId id = editor_.ProducerId(value);
    if (id == kNoNode) return nullptr;
    const Node& node = graph_.node(id);
    const bool is_view = node.op->op_class == OpClass::kView && node.op->domain.empty() &&
                         node.epilogue.empty() && node.outputs.size() == 1 &&
                         node.inputs[0] != kNoValue;
    return is_view ? &node : nullptr;
  }

  // A view of a view: the value below where the shape is the same, and only the last Reshape.
  bool MergeView(NodeId id) {
    const Node& node = graph_.node(id);
    const Node* inner = ViewThatMakes(node.inputs[0]);
    if (inner == nullptr) return false;
    const ValueId source = inner->inputs[0];
    if (Same(source, node.outputs[0])) {
      editor_.ReplaceUses(node.outputs[0], source);
      return Done("inverse views");
    }
    if (node.op->name != "Reshape") return false;
    // A 0 in the target copies a dimension of the inner view, unless that is one of the source too.
    const Tensor* target = graph_.constant(node.inputs[1]);
    const auto dims = target == nullptr ? absl::StatusOr<std::vector<int64_t>>(
                                              absl::NotFoundError("the target is not constant"))
                                        : target->ToInt64s();
    if (!dims.ok()) return false;
    const SymbolicShape& before = TypeOf(source).shape;
    const SymbolicShape& after = TypeOf(node.inputs[0]).shape;
    for (int d = 0; d < static_cast<int>(dims->size()); ++d) {
      if ((*dims)[d] == 0 &&
          (d >= before.rank() || d >= after.rank() || !before[d].SameAs(after[d]))) {
        return false;
      }
    }
    editor_.SetInput(id, 0, source);
    return Done("Reshape of a view");
  }

  bool MergeCasts(NodeId id) {
    const Node* inner = editor_.Producer(graph_.node(id).inputs[0], "Cast");
    if (inner == nullptr) return false;
    const ValueId source = inner->inputs[0];
    const DType from = TypeOf(source).dtype;
    if (from == DType::kInvalid || !Holds(TypeOf(inner->outputs[0]).dtype, from)) return false;
    editor_.SetInput(id, 0, source);
    return Done("Cast of a Cast");
  }

  // The permutation of a Transpose, which defaults to the reverse; empty when not known.
  std::vector<int64_t> PermutationOf(const Node& transpose) const {
    std::vector<int64_t> permutation = transpose.attributes.Ints("perm");
    const int rank = TypeOf(transpose.inputs[0]).shape.rank();
    for (int i = rank - 1; i >= 0 && permutation.size() < static_cast<size_t>(rank); --i) {
      permutation.push_back(i);
    }
    return permutation;
  }

  // The order after `first` and then `second`; empty when they do not fit.
  static std::vector<int64_t> Composed(const std::vector<int64_t>& first,
                                       const std::vector<int64_t>& second) {
    std::vector<int64_t> composed;
    if (first.size() != second.size()) return composed;
    for (int64_t axis : second) composed.push_back(first[axis]);
    return composed;
  }

  static bool IsInOrder(const std::vector<int64_t>& permutation) {
    for (size_t i = 0; i < permutation.size(); ++i) {
      if (permutation[i] != static_cast<int64_t>(i)) return false;
    }
    return !permutation.empty();
  }

  bool MergeTransposes(NodeId id) {
    const Node& node = graph_.node(id);
    const Node* inner = editor_.Producer(node.inputs[0], "Transpose");
    if (inner == nullptr) return false;
    std::vector<int64_t> composed = Composed(PermutationOf(*inner), PermutationOf(node));
    if (composed.empty()) return false;
    const ValueId source = inner->inputs[0];
    if (IsInOrder(composed)) {
      editor_.ReplaceUses(node.outputs[0], source);
      return Done("inverse Transposes");
    }
    graph_.node(id).attributes.Set("perm", std::move(composed));
    editor_.SetInput(id, 0, source);
    return Done("Transpose of a Transpose");
  }

  // The input of an elementwise node that may be another order of the same elements: all others
  // have one element.
  std::optional<int> OnlyTensorInput(const Node& node) const {
    std::optional<int> only;
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
      if (node.inputs[i] == kNoValue || editor_.Scalar(node.inputs[i])) continue;
      if (only) return std::nullopt;
      only = i;
    }
    return only;
  }

  // Transpose, elementwise nodes with scalars, inverse Transpose: the nodes alone.
  bool CancelAround(NodeId id) {
    const std::vector<int64_t> outer = PermutationOf(graph_.node(id));
    std::vector<NodeId> between;
    ValueId value = graph_.node(id).inputs[0];
    while (between.size() < kMaxBetween && editor_.Uses(value) == 1) {
      const NodeId producer = editor_.ProducerId(value);
      if (producer == kNoNode) return false;
      const Node& node = graph_.node(producer);
      if (node.op->name == "Transpose" && node.op->domain.empty() && node.epilogue.empty()) {
        if (between.empty() || !IsInOrder(Composed(PermutationOf(node), outer))) return false;
        return Bypass(id, between, node.inputs[0]);
      }
      const auto input = node.op->op_class == OpClass::kElementwise && node.op->domain.empty() &&
                                 node.epilogue.empty() && node.outputs.size() == 1
                             ? OnlyTensorInput(node)
                             : std::nullopt;
      if (!input || TypeOf(node.inputs[*input]).shape.rank() != static_cast<int>(outer.size())) {
        return false;
      }
      between.push_back(producer);
      value = node.inputs[*input];
    }
    return false;
  }

  // `between` starts at the node before Transpose `id`.
  bool Bypass(NodeId id, const std::vector<NodeId>& between, ValueId source) {
    const SymbolicShape shape = TypeOf(graph_.node(id).outputs[0]).shape;
    for (NodeId node : between) graph_.value(graph_.node(node).outputs[0]).type.shape = shape;
    const NodeId first = between.back();
    editor_.ReplaceUses(graph_.node(id).outputs[0], graph_.node(between.front()).outputs[0]);
    editor_.SetInput(first, *OnlyTensorInput(graph_.node(first)), source);
    return Done("Transposes around elementwise nodes");
  }

  int64_t AxisOf(const Node& node, ValueId value) const {
    const int64_t axis = node.attributes.Int("axis", 0);
    return axis < 0 ? axis + TypeOf(value).shape.rank() : axis;
  }

  // The parts of a Split, all of them and in order.
  bool JoinSplit(NodeId id) {
    const Node& concat = graph_.node(id);
    const NodeId producer = editor_.ProducerId(concat.inputs[0]);
    if (producer == kNoNode) return false;
    const Node& split = graph_.node(producer);
    if (split.op->name != "Split" || !split.op->domain.empty() || split.outputs != concat.inputs ||
        !TypeOf(split.inputs[0]).shape.has_rank() ||
        AxisOf(split, split.inputs[0]) != AxisOf(concat, split.inputs[0])) {
      return false;
    }
    editor_.ReplaceUses(concat.outputs[0], split.inputs[0]);
    return Done("Concat of a Split");
  }

  struct Part {
    ValueId source;
    int64_t begin;
    int64_t end;
  };

  std::optional<int64_t> NumberAt(const Node& node, size_t input) const {
    const Tensor* constant =
        input < node.inputs.size() ? graph_.constant(node.inputs[input]) : nullptr;
    if (constant == nullptr || constant->num_elements() != 1) return std::nullopt;
    const auto numbers = constant->ToInt64s();
    return numbers.ok() ? std::optional((*numbers)[0]) : std::nullopt;
  }

  // What a Slice with constant bounds takes along `axis` alone.
  std::optional<Part> PartOf(ValueId value, int64_t axis) const {
    const Node* slice = editor_.Producer(value, "Slice");
    if (slice == nullptr) return std::nullopt;
    const SymbolicShape& shape = TypeOf(slice->inputs[0]).shape;
    const auto begin = NumberAt(*slice, 1);
    const auto end = NumberAt(*slice, 2);
    const auto along = slice->inputs.size() > 3 ? NumberAt(*slice, 3) : std::optional<int64_t>(0);
    const auto step = slice->inputs.size() > 4 ? NumberAt(*slice, 4) : std::optional<int64_t>(1);
    if (!begin || !end || !along || step != 1 || axis >= shape.rank() || !shape[axis].known() ||
        (*along < 0 ? *along + shape.rank() : *along) != axis) {
      return std::nullopt;
    }
    const int64_t size = shape[axis].value;
    const auto clamped = [size](int64_t index) {
      return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size);
    };
    return Part{slice->inputs[0], clamped(*begin), clamped(*end)};
  }

  // Slices that cover a value without gap, in order.
  bool JoinSlices(NodeId id) {
    const Node& concat = graph_.node(id);
    if (!TypeOf(concat.outputs[0]).shape.has_rank()) return false;
    const int64_t axis = AxisOf(concat, concat.outputs[0]);
    ValueId source = kNoValue;
    int64_t end = 0;
    for (ValueId input : concat.inputs) {
      const auto part = PartOf(input, axis);
      if (!part || part->begin != end || (source != kNoValue && part->source != source)) {
        return false;
      }
      source = part->source;
      end = part->end;
    }
    if (!Same(source, concat.outputs[0]) || !TypeOf(source).shape[axis].Is(end)) return false;
    editor_.ReplaceUses(concat.outputs[0], source);
    return Done("Concat of Slices");
  }

  // A Concat read only by another one along the same axis.
  bool Flatten(NodeId id) {
    const Node& outer = graph_.node(id);
    for (size_t i = 0; i < outer.inputs.size(); ++i) {
      const Node* inner = editor_.Producer(outer.inputs[i], "Concat");
      if (inner == nullptr || editor_.Uses(outer.inputs[i]) != 1 ||
          !TypeOf(outer.outputs[0]).shape.has_rank() ||
          AxisOf(*inner, outer.outputs[0]) != AxisOf(outer, outer.outputs[0])) {
        continue;
      }
      Node joined = outer;
      joined.inputs.erase(joined.inputs.begin() + i);
      joined.inputs.insert(joined.inputs.begin() + i, inner->inputs.begin(), inner->inputs.end());
      editor_.Replace(id, std::move(joined));
      return Done("Concat of a Concat");
    }
    return false;
  }

  Graph& graph_;
  const PassContext& context_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<int> MergeViews(Graph& graph, const PassContext& context) {
  return ViewMerger(graph, context).Run();
}

}  // namespace inferd
