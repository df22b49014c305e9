#include "engine/passes/shape_values.h"

#include <algorithm>
#include <limits>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/shape_inference.h"

namespace inferd {
namespace {

// Tensors of sizes have as many elements as some tensor has dimensions, or little more.
constexpr int64_t kMaxElements = 64;
constexpr int64_t kMaxNumber = int64_t{1} << 48;
// From here on an end of a slice means "all".
constexpr int64_t kEverything = std::numeric_limits<int32_t>::max();

bool HoldsSizes(const ValueType& type) {
  return type.is_tensor() &&
         (type.dtype == DType::kInt64 || type.dtype == DType::kInt32 || type.dtype == DType::kBool);
}

bool IsKnown(const KnownElements& elements) {
  return std::any_of(elements.begin(), elements.end(), [](const KnownElement& element) {
    return element.kind != KnownElement::Kind::kUnknown;
  });
}

}  // namespace

KnownElement KnownElement::OfDim(const Dim& dim) {
  if (dim.known()) return Number(dim.value);
  if (dim.symbol < 0) return {};
  return {Kind::kSymbol, 0, dim.symbol};
}

bool KnownElement::SameAs(const KnownElement& other) const {
  return kind != Kind::kUnknown && kind == other.kind && number == other.number &&
         symbol == other.symbol;
}

Dim KnownElement::ToDim() const {
  if (is_number() && number >= 0 && number <= kMaxNumber) return Dim(number);
  return is_symbol() ? Dim::Symbol(symbol) : Dim::Unknown();
}

ShapeValues::ShapeValues(Graph& graph) : graph_(graph), symbols_(graph) {
  for (ValueId input : graph.inputs()) {
    ValueType& type = graph.value(input).type;
    if (!type.is_tensor()) continue;
    for (int i = 0; i < type.shape.rank(); ++i) {
      if (!type.shape[i].known() && type.shape[i].symbol < 0) {
        type.shape[i] = symbols_.OfValue(input, i);
      }
    }
  }
}

const KnownElements* ShapeValues::Find(ValueId value) {
  if (value == kNoValue) return nullptr;
  if (const auto it = known_.find(value); it != known_.end()) return &it->second;
  const Tensor* constant = graph_.constant(value);
  if (constant == nullptr || constant->kind() != ValueKind::kTensor ||
      !HoldsSizes(graph_.value(value).type) || constant->num_elements() > kMaxElements) {
    return nullptr;
  }
  KnownElements elements;
  if (constant->dtype() == DType::kBool) {
    for (bool element : constant->values<bool>()) {
      elements.push_back(KnownElement::Number(element ? 1 : 0));
    }
  } else {
    const auto numbers = constant->ToInt64s();
    if (!numbers.ok()) return nullptr;
    for (int64_t number : *numbers) elements.push_back(KnownElement::Number(number));
  }
  return &known_.emplace(value, std::move(elements)).first->second;
}

absl::Status ShapeValues::Visit(NodeId id) {
  std::vector<ValueType> before;
  for (ValueId output : graph_.node(id).outputs) {
    before.push_back(output == kNoValue ? ValueType() : graph_.value(output).type);
  }
  RETURN_IF_ERROR(InferNode(graph_, id));
  const Node& node = graph_.node(id);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    ValueType& type = graph_.value(node.outputs[i]).type;
    if (!type.is_tensor() || !before[i].is_tensor()) continue;
    if (!type.shape.has_rank()) type.shape = before[i].shape;
    if (type.shape.rank() != before[i].shape.rank()) continue;
    for (int d = 0; d < type.shape.rank(); ++d) {
      if (!type.shape[d].known() && type.shape[d].symbol < 0) type.shape[d] = before[i].shape[d];
    }
  }
  if (node.subgraphs.empty() && node.epilogue.empty()) {
    RefineTypes(node);
    if (!node.outputs.empty() && node.outputs[0] != kNoValue &&
        HoldsSizes(graph_.value(node.outputs[0]).type)) {
      auto elements = Evaluate(node);
      if (elements && elements->size() <= kMaxElements && IsKnown(*elements)) {
        known_[node.outputs[0]] = *std::move(elements);
      }
    }
  }
  return absl::OkStatus();
}

void ShapeValues::RefineTypes(const Node& node) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId output = node.outputs[i];
    if (output == kNoValue || !graph_.value(output).type.is_tensor()) continue;
    SymbolicShape shape = graph_.value(output).type.shape;
    if (i == 0) RefineDims(node, &shape);
    for (int d = 0; d < shape.rank(); ++d) {
      if (!shape[d].known() && shape[d].symbol < 0) shape[d] = symbols_.OfValue(output, d);
    }
    graph_.value(output).type.shape = std::move(shape);
  }
}

void ShapeValues::RefineDims(const Node& node, SymbolicShape* shape) {
  const std::optional<SymbolicShape> better = BetterShape(node, *shape);
  if (!better || !better->has_rank()) return;
  if (!shape->has_rank()) *shape = SymbolicShape::OfRank(better->rank());
  if (better->rank() != shape->rank()) return;
  for (int d = 0; d < shape->rank(); ++d) {
    const Dim& dim = (*better)[d];
    if (!(*shape)[d].known() && (dim.known() || dim.symbol >= 0)) (*shape)[d] = dim;
  }
}

std::optional<SymbolicShape> ShapeValues::BroadcastShape(const Node& node) {
  SymbolicShape result = SymbolicShape::Scalar();
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    const ValueType& type = graph_.value(node.inputs[i]).type;
    if (!type.is_tensor() || !type.shape.has_rank()) return std::nullopt;
    result = symbols_.Broadcast(result, type.shape);
  }
  return result;
}

std::optional<SymbolicShape> ShapeValues::BetterShape(const Node& node,
                                                      const SymbolicShape& shape) {
  const absl::string_view op = node.op->name;
  if (node.op->op_class == OpClass::kElementwise) return BroadcastShape(node);
  if (!node.op->domain.empty()) return std::nullopt;
  if (op == "Reshape" || op == "Expand" || op == "ConstantOfShape") {
    const KnownElements* target = Find(node.inputs[op == "ConstantOfShape" ? 0 : 1]);
    return target == nullptr ? std::nullopt : std::optional(ReshapedShape(node, *target));
  }
  SymbolicShape better = shape;
  if (op == "Slice") {
    RefineSlice(node, &better);
  } else if (op == "Range" && shape.rank() == 1) {
    const KnownElements* start = Find(node.inputs[0]);
    const KnownElements* limit = Find(node.inputs[1]);
    const KnownElements* step = Find(node.inputs[2]);
    if (!start || !limit || !step || !(*step)[0].IsNumber(1)) return std::nullopt;
    better[0] = symbols_.Difference((*limit)[0].ToDim(), (*start)[0].ToDim());
  } else if (op == "Concat" && shape.rank() > 0) {
    const int64_t axis = node.attributes.Int("axis", 0);
    const int d = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
    Dim sum(0);
    for (ValueId input : node.inputs) {
      const ValueType& type = graph_.value(input).type;
      if (!type.is_tensor() || type.shape.rank() != shape.rank()) return std::nullopt;
      sum = symbols_.Sum(sum, type.shape[d]);
    }
    better[d] = sum;
  } else if (op == "Flatten" && shape.rank() == 2) {
    const SymbolicShape& input = graph_.value(node.inputs[0]).type.shape;
    if (!input.has_rank()) return std::nullopt;
    const int64_t given = node.attributes.Int("axis", 1);
    const int axis = static_cast<int>(given < 0 ? given + input.rank() : given);
    better[0] = symbols_.Product(input, 0, axis);
    better[1] = symbols_.Product(input, axis, input.rank());
  }
  return better;
}

SymbolicShape ShapeValues::ReshapedShape(const Node& node, const KnownElements& target) {
  SymbolicShape shape = SymbolicShape::OfRank(static_cast<int>(target.size()));
  for (int i = 0; i < shape.rank(); ++i) shape[i] = target[i].ToDim();
  if (node.op->name == "ConstantOfShape") return shape;
  const SymbolicShape input = graph_.value(node.inputs[0]).type.shape;
  if (!input.has_rank()) return node.op->name == "Expand" ? SymbolicShape() : shape;
  if (node.op->name == "Expand") return symbols_.Broadcast(input, shape);
  const bool copies = node.attributes.Int("allowzero", 0) == 0;
  int inferred = -1;
  Dim others(1);
  for (int i = 0; i < shape.rank(); ++i) {
    if (copies && target[i].IsNumber(0)) shape[i] = i < input.rank() ? input[i] : Dim::Unknown();
    if (target[i].IsNumber(-1)) {
      inferred = i;
    } else {
      others = symbols_.Product(others, shape[i]);
    }
  }
  if (inferred >= 0) {
    shape[inferred] = symbols_.ExactQuotient(symbols_.Product(input, 0, input.rank()), others);
  }
  return shape;
}

Dim ShapeValues::SliceDim(const Dim& dim, const KnownElement& start, const KnownElement& end) {
  if (start.IsNumber(0)) {
    if (end.is_number() &&
        (end.number >= kEverything || (dim.known() && end.number >= dim.value))) {
      return dim;
    }
    return symbols_.Minimum(dim, end.ToDim());
  }
  if (!dim.known() || !start.is_number() || !end.is_number()) return Dim::Unknown();
  const auto clamped = [&dim](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + dim.value : index, 0, dim.value);
  };
  return Dim(std::max<int64_t>(0, clamped(end.number) - clamped(start.number)));
}

void ShapeValues::RefineSlice(const Node& node, SymbolicShape* shape) {
  const SymbolicShape input = graph_.value(node.inputs[0]).type.shape;
  const KnownElements* starts = Find(node.inputs[1]);
  const KnownElements* ends = Find(node.inputs[2]);
  const bool has_axes = node.inputs.size() > 3 && node.inputs[3] != kNoValue;
  const bool has_steps = node.inputs.size() > 4 && node.inputs[4] != kNoValue;
  const KnownElements* axes = has_axes ? Find(node.inputs[3]) : nullptr;
  const KnownElements* steps = has_steps ? Find(node.inputs[4]) : nullptr;
  if (!input.has_rank() || shape->rank() != input.rank() || starts == nullptr || ends == nullptr ||
      (has_axes && axes == nullptr) || (has_steps && steps == nullptr)) {
    return;
  }
  SymbolicShape better = input;
  for (size_t i = 0; i < starts->size(); ++i) {
    if (i >= ends->size() || (axes && i >= axes->size()) || (steps && i >= steps->size())) return;
    if (axes && !(*axes)[i].is_number()) return;
    int64_t axis = axes ? (*axes)[i].number : static_cast<int64_t>(i);
    if (axis < 0) axis += input.rank();
    if (axis < 0 || axis >= input.rank()) return;
    const int d = static_cast<int>(axis);
    better[d] = steps && !(*steps)[i].IsNumber(1) ? Dim::Unknown()
                                                  : SliceDim(input[d], (*starts)[i], (*ends)[i]);
  }
  *shape = std::move(better);
}

std::optional<KnownElements> ShapeValues::Evaluate(const Node& node) {
  if (!node.op->domain.empty()) return std::nullopt;
  const absl::string_view op = node.op->name;
  if (op == "Shape" || op == "Size") return EvaluateShape(node);
  if (op == "Gather") return EvaluateGather(node);
  if (op == "Slice") return EvaluateSlice(node);
  if (op == "Concat") return EvaluateConcat(node);
  if (op == "Where") return EvaluateWhere(node);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Equal" || op == "Min") {
    return EvaluateBinary(node);
  }
  const KnownElements* first = node.inputs.empty() ? nullptr : Find(node.inputs[0]);
  if (first == nullptr) return std::nullopt;
  const bool from_bool = graph_.value(node.inputs[0]).type.dtype == DType::kBool;
  const bool to_bool = graph_.value(node.outputs[0]).type.dtype == DType::kBool;
  if (node.op->op_class == OpClass::kView || (op == "Cast" && (from_bool || !to_bool))) {
    return *first;
  }
  if (op == "ReduceProd") {
    const ValueType& out = graph_.value(node.outputs[0]).type;
    const bool all = out.shape.IsConcrete() && out.shape.ToShape().num_elements() == 1;
    if (!all) return std::nullopt;
    KnownElement product = KnownElement::Number(1);
    for (const KnownElement& element : *first) product = Arithmetic("Mul", product, element);
    return KnownElements{product};
  }
  if (op == "ConstantOfShape" && first->size() == 1 && (*first)[0].is_number()) {
    const Tensor* value = node.attributes.TensorOrNull("value");
    const int64_t count = (*first)[0].number;
    if (value == nullptr || value->dtype() != DType::kInt64 || value->num_elements() != 1 ||
        count < 0 || count > kMaxElements) {
      return std::nullopt;
    }
    return KnownElements(count, KnownElement::Number(value->data<int64_t>()[0]));
  }
  return std::nullopt;
}

std::optional<KnownElements> ShapeValues::EvaluateShape(const Node& node) {
  const ValueType& type = graph_.value(node.inputs[0]).type;
  if (!type.is_tensor() || !type.shape.has_rank() || type.shape.rank() > kMaxElements) {
    return std::nullopt;
  }
  const int rank = type.shape.rank();
  if (node.op->name == "Size") {
    return KnownElements{KnownElement::OfDim(symbols_.Product(type.shape, 0, rank))};
  }
  const auto clamped = [rank](int64_t index) {
    return static_cast<int>(std::clamp<int64_t>(index < 0 ? index + rank : index, 0, rank));
  };
  KnownElements elements;
  const int end = clamped(node.attributes.Int("end", rank));
  for (int i = clamped(node.attributes.Int("start", 0)); i < end; ++i) {
    elements.push_back(KnownElement::OfDim(type.shape[i]));
  }
  return elements;
}

std::optional<KnownElements> ShapeValues::EvaluateGather(const Node& node) {
  const KnownElements* data = Find(node.inputs[0]);
  const KnownElements* indices = Find(node.inputs[1]);
  if (data == nullptr || indices == nullptr ||
      graph_.value(node.inputs[0]).type.shape.rank() != 1) {
    return std::nullopt;
  }
  KnownElements elements;
  const int64_t count = static_cast<int64_t>(data->size());
  for (const KnownElement& index : *indices) {
    if (!index.is_number() || index.number < -count || index.number >= count) return std::nullopt;
    elements.push_back((*data)[index.number < 0 ? index.number + count : index.number]);
  }
  return elements;
}

std::optional<KnownElements> ShapeValues::EvaluateSlice(const Node& node) {
  const KnownElements* data = Find(node.inputs[0]);
  const KnownElements* starts = Find(node.inputs[1]);
  const KnownElements* ends = Find(node.inputs[2]);
  const bool has_steps = node.inputs.size() > 4 && node.inputs[4] != kNoValue;
  const KnownElements* steps = has_steps ? Find(node.inputs[4]) : nullptr;
  if (data == nullptr || starts == nullptr || ends == nullptr || starts->size() != 1 ||
      ends->size() != 1 || !(*starts)[0].is_number() || !(*ends)[0].is_number() ||
      graph_.value(node.inputs[0]).type.shape.rank() != 1 ||
      (has_steps && (steps == nullptr || steps->size() != 1 || !(*steps)[0].IsNumber(1)))) {
    return std::nullopt;
  }
  const int64_t count = static_cast<int64_t>(data->size());
  const auto clamped = [count](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + count : index, 0, count);
  };
  const int64_t begin = clamped((*starts)[0].number);
  const int64_t end = std::max(begin, clamped((*ends)[0].number));
  return KnownElements(data->begin() + begin, data->begin() + end);
}

std::optional<KnownElements> ShapeValues::EvaluateConcat(const Node& node) {
  KnownElements elements;
  for (ValueId input : node.inputs) {
    const ValueType& type = graph_.value(input).type;
    const KnownElements* part = Find(input);
    if (type.shape.rank() != 1 || !type.shape[0].known() || type.shape[0].value > kMaxElements) {
      return std::nullopt;
    }
    const KnownElements unknown(part == nullptr ? type.shape[0].value : 0);
    const KnownElements& added = part == nullptr ? unknown : *part;
    elements.insert(elements.end(), added.begin(), added.end());
    if (elements.size() > kMaxElements) return std::nullopt;
  }
  return elements;
}

KnownElement ShapeValues::Arithmetic(absl::string_view op, const KnownElement& a,
                                     const KnownElement& b) {
  if (op == "Equal") {
    if (a.SameAs(b)) return KnownElement::Number(1);
    if (a.is_number() && b.is_number()) return KnownElement::Number(0);
    // A symbol is a size.
    const bool differ = (a.is_symbol() && b.is_number() && b.number < 0) ||
                        (b.is_symbol() && a.is_number() && a.number < 0);
    return differ ? KnownElement::Number(0) : KnownElement();
  }
  if (a.is_number() && b.is_number()) {
    if (std::abs(a.number) >= kMaxNumber || std::abs(b.number) >= kMaxNumber) return {};
    if (op == "Add") return KnownElement::Number(a.number + b.number);
    if (op == "Sub") return KnownElement::Number(a.number - b.number);
    if (op == "Min") return KnownElement::Number(std::min(a.number, b.number));
    if (op == "Div")
      return b.number == 0 ? KnownElement() : KnownElement::Number(a.number / b.number);
    const bool fits = a.number == 0 || std::abs(b.number) < kMaxNumber / std::abs(a.number);
    return fits ? KnownElement::Number(a.number * b.number) : KnownElement();
  }
  const Dim x = a.ToDim();
  const Dim y = b.ToDim();
  if (op == "Add") return KnownElement::OfDim(symbols_.Sum(x, y));
  if (op == "Sub") return KnownElement::OfDim(symbols_.Difference(x, y));
  if (op == "Mul") return KnownElement::OfDim(symbols_.Product(x, y));
  if (op == "Min") return KnownElement::OfDim(symbols_.Minimum(x, y));
  return b.is_number() ? KnownElement::OfDim(symbols_.Quotient(x, b.number)) : KnownElement();
}

std::optional<KnownElements> ShapeValues::EvaluateBinary(const Node& node) {
  if (node.inputs.size() != 2) return std::nullopt;
  const KnownElements* a = Find(node.inputs[0]);
  const KnownElements* b = Find(node.inputs[1]);
  if (a == nullptr || b == nullptr || a->empty() || b->empty()) return std::nullopt;
  const size_t count = std::max(a->size(), b->size());
  if ((a->size() != count && a->size() != 1) || (b->size() != count && b->size() != 1) ||
      graph_.value(node.outputs[0]).type.shape.rank() > 1) {
    return std::nullopt;
  }
  KnownElements elements;
  for (size_t i = 0; i < count; ++i) {
    elements.push_back(
        Arithmetic(node.op->name, (*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
  }
  return elements;
}

std::optional<KnownElements> ShapeValues::EvaluateWhere(const Node& node) {
  const KnownElements* operands[3];
  size_t count = 1;
  for (int i = 0; i < 3; ++i) {
    operands[i] = Find(node.inputs[i]);
    if (operands[i] == nullptr || operands[i]->empty()) return std::nullopt;
    count = std::max(count, operands[i]->size());
  }
  KnownElements elements;
  for (size_t i = 0; i < count; ++i) {
    const KnownElement* chosen[3];
    for (int k = 0; k < 3; ++k) {
      if (operands[k]->size() != count && operands[k]->size() != 1) return std::nullopt;
      chosen[k] = &(*operands[k])[operands[k]->size() == 1 ? 0 : i];
    }
    const bool decided = chosen[0]->is_number();
    elements.push_back(decided                         ? *chosen[chosen[0]->number != 0 ? 1 : 2]
                       : chosen[1]->SameAs(*chosen[2]) ? *chosen[1]
                                                       : KnownElement());
  }
  return elements;
}

}  // namespace inferd
