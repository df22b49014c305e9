#include "engine/passes/strided_view.h"

#include <algorithm>

#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"

namespace inferd {
namespace {

constexpr int kMostLinks = 16;

bool IsConcreteTensor(const Graph& graph, ValueId value) {
  const ValueType& type = graph.value(value).type;
  return type.is_tensor() && type.shape.IsConcrete();
}

Shape ShapeOf(const Graph& graph, ValueId value) { return graph.value(value).type.shape.ToShape(); }

std::optional<std::vector<int64_t>> Numbers(const Graph& graph, const Node& node, size_t i) {
  const Tensor* constant = i < node.inputs.size() ? graph.constant(node.inputs[i]) : nullptr;
  if (constant == nullptr) return std::nullopt;
  auto numbers = constant->ToInt64s();
  return numbers.ok() ? std::optional(*std::move(numbers)) : std::nullopt;
}

std::optional<int> AxisOf(const Node& node, int64_t missing, int rank) {
  const auto axis = NormalizeAxis(node.attributes.Int("axis", missing), rank);
  return axis.ok() ? std::optional(*axis) : std::nullopt;
}

bool ApplyTranspose(const Node& node, StridedView* view) {
  std::vector<int64_t> permutation = node.attributes.Ints("perm");
  if (permutation.empty()) {
    for (int i = view->rank() - 1; i >= 0; --i) permutation.push_back(i);
  }
  if (static_cast<int>(permutation.size()) != view->rank()) return false;
  for (int64_t& axis : permutation) axis += axis < 0 ? view->rank() : 0;
  view->Transpose(permutation);
  return true;
}

// Where the outputs before this one end.
bool ApplySplit(const Graph& graph, const Node& node, ValueId output, StridedView* view) {
  const auto axis = AxisOf(node, 0, view->rank());
  if (!axis) return false;
  int64_t start = 0;
  for (ValueId other : node.outputs) {
    if (other == kNoValue || !IsConcreteTensor(graph, other)) return false;
    const int64_t count = ShapeOf(graph, other)[*axis];
    if (other == output) return view->Select(*axis, start, 1, count);
    start += count;
  }
  return false;
}

bool ApplySlice(const Graph& graph, const Node& node, ValueId output, StridedView* view) {
  const auto starts = Numbers(graph, node, 1);
  auto axes = Numbers(graph, node, 3);
  auto steps = Numbers(graph, node, 4);
  if (!starts || (!axes && node.inputs.size() > 3 && node.inputs[3] != kNoValue) ||
      (!steps && node.inputs.size() > 4 && node.inputs[4] != kNoValue)) {
    return false;
  }
  const Shape result = ShapeOf(graph, output);
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = NormalizeAxis(axes ? (*axes)[i] : static_cast<int64_t>(i), view->rank());
    const int64_t step = steps ? (*steps)[i] : 1;
    if (!axis.ok() || step < 1) return false;
    const int64_t size = view->size(*axis);
    const int64_t start = (*starts)[i] < 0 ? (*starts)[i] + size : (*starts)[i];
    if (!view->Select(*axis, std::clamp<int64_t>(start, 0, size), step, result[*axis])) {
      return false;
    }
  }
  return true;
}

// One index of one axis.
bool ApplyGather(const Graph& graph, const Node& node, ValueId output, StridedView* view) {
  const auto index = Numbers(graph, node, 1);
  const auto axis = AxisOf(node, 0, view->rank());
  if (!index || index->size() != 1 || !axis) return false;
  const int64_t size = view->size(*axis);
  const int64_t at = (*index)[0] < 0 ? (*index)[0] + size : (*index)[0];
  if (at < 0 || at >= size) return false;
  return view->Select(*axis, at, 1, 1) && view->Reshape(ShapeOf(graph, output));
}

}  // namespace

StridedView::StridedView(const Shape& shape) {
  const Shape::Dims strides = shape.RowMajorStrides();
  for (int i = 0; i < shape.rank(); ++i) {
    axes_.emplace_back();
    if (shape[i] != 1) axes_.back().push_back({shape[i], strides[i]});
  }
}

int64_t StridedView::size(int axis) const {
  int64_t size = 1;
  for (const Factor& factor : axes_[axis]) size *= factor.size;
  return size;
}

StridedView::Axis StridedView::Merged(int axis) const {
  Axis merged;
  for (const Factor& factor : axes_[axis]) {
    if (!merged.empty() && merged.back().stride == factor.size * factor.stride) {
      merged.back() = {merged.back().size * factor.size, factor.stride};
    } else {
      merged.push_back(factor);
    }
  }
  return merged;
}

std::optional<int64_t> StridedView::Stride(int axis) const {
  const Axis merged = Merged(axis);
  if (merged.empty()) return 0;
  return merged.size() == 1 ? std::optional(merged[0].stride) : std::nullopt;
}

std::vector<StridedView::Factor> StridedView::Factors() const {
  std::vector<Factor> factors;
  for (const Axis& axis : axes_) factors.insert(factors.end(), axis.begin(), axis.end());
  return factors;
}

bool StridedView::IsDense() const {
  const std::vector<Factor> factors = Factors();
  int64_t stride = 1;
  for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
    if (factor->size == 1) continue;
    if (factor->stride != stride) return false;
    stride *= factor->size;
  }
  return true;
}

void StridedView::Transpose(absl::Span<const int64_t> permutation) {
  std::vector<Axis> axes;
  for (int64_t axis : permutation) axes.push_back(axes_[axis]);
  axes_ = std::move(axes);
}

bool StridedView::Reshape(const Shape& shape) {
  std::vector<Factor> factors = Factors();
  std::vector<Axis> axes(shape.rank());
  size_t next = 0;
  for (int i = 0; i < shape.rank(); ++i) {
    int64_t wanted = shape[i];
    while (wanted > 1) {
      if (next == factors.size()) return false;
      Factor& factor = factors[next];
      if (factor.size > 0 && wanted % factor.size == 0) {
        axes[i].push_back(factor);
        wanted /= factor.size;
        ++next;
      } else if (factor.size % wanted == 0) {
        factor.size /= wanted;
        axes[i].push_back({wanted, factor.stride * factor.size});
        wanted = 1;
      } else {
        return false;
      }
    }
    if (wanted == 0) return false;  // nothing to be gained from empty tensors
  }
  axes_ = std::move(axes);
  return next == factors.size();
}

bool StridedView::Broadcast(const Shape& shape) {
  if (shape.rank() < rank()) return false;
  axes_.insert(axes_.begin(), shape.rank() - rank(), Axis());
  for (int i = 0; i < rank(); ++i) {
    if (size(i) == shape[i]) continue;
    if (size(i) != 1) return false;
    axes_[i] = {{shape[i], 0}};
  }
  return true;
}

bool StridedView::Select(int axis, int64_t start, int64_t step, int64_t count) {
  if (start == 0 && step == 1 && count == size(axis)) return true;
  const std::optional<int64_t> stride = Stride(axis);
  if (!stride || count < 1) return false;
  offset_ += start * *stride;
  axes_[axis].clear();
  if (count != 1) axes_[axis].push_back({count, *stride * step});
  return true;
}

bool ApplyToView(const Graph& graph, const Node& node, ValueId output, StridedView* view) {
  if (!IsConcreteTensor(graph, output)) return false;
  const absl::string_view op = node.op->name;
  if (op == "Transpose") return ApplyTranspose(node, view);
  if (op == "Expand") return view->Broadcast(ShapeOf(graph, output));
  if (op == "Split") return ApplySplit(graph, node, output, view);
  if (op == "Slice") return ApplySlice(graph, node, output, view);
  if (op == "Gather") return ApplyGather(graph, node, output, view);
  return node.op->op_class == OpClass::kView && view->Reshape(ShapeOf(graph, output));
}

ViewChain::ViewChain(const Graph& graph, const Matcher& matcher, ValueId value, bool with_scale)
    : graph_(graph), value_(value) {
  while (size() < kMostLinks) {
    const std::optional<Link> link = LinkTo(matcher, Base(size()), with_scale);
    if (!link) return;
    links_.push_back(*link);
  }
}

std::optional<ViewChain::Link> ViewChain::LinkTo(const Matcher& matcher, ValueId value,
                                                 bool with_scale) const {
  const NodeId id = graph_.value(value).producer;
  if (id == kNoNode || !IsConcreteTensor(graph_, value)) return std::nullopt;
  const Node& node = graph_.node(id);
  if (node.removed || !node.op->domain.empty() || !node.epilogue.empty() || node.inputs.empty() ||
      node.inputs[0] == kNoValue) {
    return std::nullopt;
  }
  Link link{&node, node.inputs[0], value};
  const absl::string_view op = node.op->name;
  if (op == "Mul" || op == "Div") {
    if (!with_scale) return std::nullopt;
    const auto scaled = matcher.Scaled(node);
    if (!scaled) return std::nullopt;
    link.input = scaled->value;
    link.factor = scaled->factor;
  } else if (op != "Transpose" && op != "Expand" && op != "Split" && op != "Slice" &&
             op != "Gather" && node.op->op_class != OpClass::kView) {
    return std::nullopt;
  }
  if (!IsConcreteTensor(graph_, link.input)) return std::nullopt;
  return link;
}

ValueId ViewChain::Base(int count) const { return count == 0 ? value_ : links_[count - 1].input; }

std::optional<StridedView> ViewChain::ViewOf(int count) const {
  StridedView view(ShapeOf(graph_, Base(count)));
  for (int i = count - 1; i >= 0; --i) {
    const Link& link = links_[i];
    const bool scales = link.node->op->name == "Mul" || link.node->op->name == "Div";
    if (scales ? !view.Broadcast(ShapeOf(graph_, link.output))
               : !ApplyToView(graph_, *link.node, link.output, &view)) {
      return std::nullopt;
    }
  }
  return view;
}

double ViewChain::Scale(int count) const {
  double scale = 1;
  for (int i = 0; i < count; ++i) scale *= links_[i].factor;
  return scale;
}

}  // namespace inferd
