#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Constants of more elements are not read to see whether all are equal.
constexpr int64_t kMaxElements = 1 << 18;

// A Clip with what it does to its input: min(max(x, low), high).
struct Bounds {
  float low = -kInfinity;
  float high = kInfinity;
};

// One walk over a graph. Used by one thread at a time.
class ArithmeticSimplifier {
 public:
  ArithmeticSimplifier(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), editor_(graph) {}

  int Run() {
    int changes = 0;
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      const Node& node = graph_.node(id);
      if (node.removed || !node.op->domain.empty() || !node.epilogue.empty() ||
          node.inputs.empty() || node.outputs.size() != 1 || node.inputs[0] == kNoValue) {
        continue;
      }
      if (DropNeutral(id) || CancelPair(id) || MergeScalars(id) || MergeBounds(id) ||
          TakeSimplerOperator(id) || Choose(id)) {
        ++changes;
      }
    }
    return changes;
  }

 private:
  bool Done(absl::string_view pattern) {
    context_.Count(pattern);
    return true;
  }

  bool Same(ValueId a, ValueId b) const {
    const ValueType& left = graph_.value(a).type;
    const ValueType& right = graph_.value(b).type;
    return left.is_tensor() && right.is_tensor() && left.dtype == right.dtype &&
           left.dtype != DType::kInvalid && left.shape.SameAs(right.shape);
  }

  bool IsFloat(ValueId value) const {
    const ValueType& type = graph_.value(value).type;
    return type.is_tensor() && type.dtype == DType::kFloat32;
  }

  // The number that every element of the constant is.
  std::optional<double> Uniform(ValueId value) const {
    const Tensor* constant = graph_.constant(value);
    if (constant == nullptr || constant->kind() != ValueKind::kTensor ||
        constant->num_elements() < 1 || constant->num_elements() > kMaxElements) {
      return std::nullopt;
    }
    std::optional<double> uniform;
    (void)DispatchNumeric(constant->dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const auto values = constant->values<T>();
      const double first = static_cast<double>(values[0]);
      const bool equal = std::all_of(values.begin(), values.end(), [first](const T& element) {
        return static_cast<double>(element) == first;
      });
      if (equal) uniform = first;
      return absl::OkStatus();
    });
    return uniform;
  }

  // x + 0, 0 + x, x - 0, x * 1, x / 1, x ^ 1, where x has the shape of the result.
  bool DropNeutral(NodeId id) {
    const Node& node = graph_.node(id);
    const absl::string_view op = node.op->name;
    if (node.inputs.size() != 2) return false;
    const bool commutes = op == "Add" || op == "Mul";
    if (!commutes && op != "Sub" && op != "Div" && op != "Pow") return false;
    const double neutral = op == "Add" || op == "Sub" ? 0 : 1;
    for (int i = 1; i >= (commutes ? 0 : 1); --i) {
      const ValueId x = node.inputs[1 - i];
      if (!Same(x, node.outputs[0]) || graph_.constant(x) != nullptr) continue;
      const auto uniform = Uniform(node.inputs[i]);
      if (!uniform || *uniform != neutral) continue;
      editor_.ReplaceUses(node.outputs[0], x);
      return Done("neutral element");
    }
    return false;
  }

  // f(f(x)) as x for Neg and Not, as f(x) for Relu, Abs, Floor, Ceil, Sign.
  bool CancelPair(NodeId id) {
    const Node& node = graph_.node(id);
    const absl::string_view op = node.op->name;
    const Node* inner = editor_.Producer(node.inputs[0], op);
    if (inner == nullptr || node.inputs.size() != 1) return false;
    if (op == "Neg" || op == "Not") {
      editor_.ReplaceUses(node.outputs[0], inner->inputs[0]);
      return Done("inverse pair");
    }
    if (op == "Relu" || op == "Abs" || op == "Floor" || op == "Ceil" || op == "Sign") {
      editor_.ReplaceUses(node.outputs[0], node.inputs[0]);
      return Done("repeated operator");
    }
    return false;
  }

  // The scalar operand of x * c, x / c, x + c, x - c as a factor or an addend; nullopt else.
  std::optional<double> ScalarOf(const Node& node, bool product, int* x) const {
    const absl::string_view op = node.op->name;
    if (node.inputs.size() != 2 || !IsFloat(node.outputs[0])) return std::nullopt;
    const bool forward = op == (product ? "Mul" : "Add");
    if (!forward && op != (product ? "Div" : "Sub")) return std::nullopt;
    for (int i = 1; i >= (forward ? 0 : 1); --i) {
      const auto scalar = editor_.Scalar(node.inputs[i]);
      if (!scalar || !Same(node.inputs[1 - i], node.outputs[0])) continue;
      *x = 1 - i;
      return forward ? *scalar : product ? 1 / *scalar : -*scalar;
    }
    return std::nullopt;
  }

  // (x * a) / b as x * (a / b) and (x + a) + b as x + (a + b).
  bool MergeScalars(NodeId id) {
    for (bool product : {true, false}) {
      int x = 0;
      const auto outer = ScalarOf(graph_.node(id), product, &x);
      if (!outer) continue;
      const ValueId middle = graph_.node(id).inputs[x];
      const NodeId producer = editor_.ProducerId(middle);
      if (producer == kNoNode || editor_.Uses(middle) != 1) continue;
      const Node& inner = graph_.node(producer);
      if (!inner.op->domain.empty() || !inner.epilogue.empty()) continue;
      int inner_x = 0;
      const auto first = ScalarOf(inner, product, &inner_x);
      if (!first) continue;
      const float merged = static_cast<float>(product ? *first * *outer : *first + *outer);
      // Addends of other signs would cancel differently; and nothing may overflow on the way.
      if (!std::isnormal(merged) || (!product && (*first < 0) != (*outer < 0))) continue;
      Replace(id, product ? "Mul" : "Add",
              {inner.inputs[inner_x], editor_.AddConstant(Tensor::Scalar<float>(merged))});
      return Done("chain of scalars");
    }
    return false;
  }

  // What Relu, Clip, or Min and Max with a scalar do to `*x`; nullopt else.
  std::optional<Bounds> BoundsOf(const Node& node, ValueId* x) const {
    const absl::string_view op = node.op->name;
    if (!node.op->domain.empty() || !node.epilogue.empty() || node.outputs.size() != 1 ||
        !IsFloat(node.outputs[0])) {
      return std::nullopt;
    }
    Bounds bounds;
    *x = node.inputs[0];
    if (op == "Relu") {
      bounds.low = 0;
      return bounds;
    }
    if (op == "Clip") {
      for (size_t i = 1; i < node.inputs.size(); ++i) {
        if (node.inputs[i] == kNoValue) continue;
        const auto bound = editor_.Scalar(node.inputs[i]);
        if (!bound || std::isnan(*bound)) return std::nullopt;
        (i == 1 ? bounds.low : bounds.high) = static_cast<float>(*bound);
      }
      return bounds;
    }
    if ((op != "Min" && op != "Max") || node.inputs.size() != 2) return std::nullopt;
    for (int i = 0; i < 2; ++i) {
      const auto bound = editor_.Scalar(node.inputs[i]);
      if (!bound || std::isnan(*bound) || !Same(node.inputs[1 - i], node.outputs[0])) continue;
      *x = node.inputs[1 - i];
      (op == "Max" ? bounds.low : bounds.high) = static_cast<float>(*bound);
      return bounds;
    }
    return std::nullopt;
  }

  // Two bounds after one another as one Clip or Relu; Min and Max with a scalar as a Clip.
  bool MergeBounds(NodeId id) {
    ValueId x = kNoValue;
    const auto outer = BoundsOf(graph_.node(id), &x);
    if (!outer || outer->low > outer->high) return false;
    Bounds merged = *outer;
    const NodeId producer = editor_.ProducerId(x);
    ValueId source = x;
    if (producer != kNoNode && editor_.Uses(x) == 1) {
      const auto inner = BoundsOf(graph_.node(producer), &source);
      if (inner && inner->low <= inner->high) {
        merged.low = std::clamp(inner->low, outer->low, outer->high);
        merged.high = std::clamp(inner->high, outer->low, outer->high);
      } else {
        source = x;
      }
    }
    const absl::string_view op = graph_.node(id).op->name;
    const bool is_relu = merged.low == 0 && merged.high == kInfinity;
    if (source == x && (op == "Clip" || op == "Relu") && !(op == "Clip" && is_relu)) return false;
    if (is_relu) {
      Replace(id, "Relu", {source});
      return Done("bounds");
    }
    const auto constant = [this](float bound) {
      return std::isinf(bound) ? kNoValue : editor_.AddConstant(Tensor::Scalar<float>(bound));
    };
    const ValueId low = constant(merged.low);
    const ValueId high = constant(merged.high);
    if (low == kNoValue && high == kNoValue) return false;
    Replace(id, "Clip", {source, low, high});
    return Done("bounds");
  }

  // x^2 as x * x, x^0.5 as a root, x / 2^n as a product, x * -1 as -x.
  bool TakeSimplerOperator(NodeId id) {
    const Node& node = graph_.node(id);
    const absl::string_view op = node.op->name;
    if (node.inputs.size() != 2 || !IsFloat(node.outputs[0])) return false;
    const ValueId x = node.inputs[0];
    const auto scalar = editor_.Scalar(node.inputs[1]);
    if (!scalar || !Same(x, node.outputs[0])) return false;
    if (op == "Pow" && *scalar == 2) {
      Replace(id, "Mul", {x, x});
    } else if (op == "Pow" && *scalar == 0.5) {
      Replace(id, "Sqrt", {x});
    } else if (op == "Pow" && *scalar == -1) {
      Replace(id, "Reciprocal", {x});
    } else if (op == "Mul" && *scalar == -1) {
      Replace(id, "Neg", {x});
    } else if (op == "Div" && HasExactReciprocal(static_cast<float>(*scalar))) {
      const float reciprocal = 1 / static_cast<float>(*scalar);
      Replace(id, "Mul", {x, editor_.AddConstant(Tensor::Scalar<float>(reciprocal))});
    } else {
      return false;
    }
    return Done("simpler operator");
  }

  static bool HasExactReciprocal(float divisor) {
    int exponent = 0;
    return std::isnormal(divisor) && std::isnormal(1 / divisor) &&
           std::abs(std::frexp(divisor, &exponent)) == 0.5f;
  }

  // Where with one answer, And and Or with a constant.
  bool Choose(NodeId id) {
    const Node& node = graph_.node(id);
    const absl::string_view op = node.op->name;
    if (op == "Where") {
      const auto condition = UniformBool(node.inputs[0]);
      const bool equal = node.inputs[1] == node.inputs[2];
      if (!condition && !equal) return false;
      const ValueId chosen = node.inputs[condition.value_or(true) ? 1 : 2];
      if (!Same(chosen, node.outputs[0])) return false;
      editor_.ReplaceUses(node.outputs[0], chosen);
      return Done("decided choice");
    }
    if (op != "And" && op != "Or") return false;
    for (int i = 0; i < 2; ++i) {
      const auto known = UniformBool(node.inputs[i]);
      const ValueId other = node.inputs[1 - i];
      if (!known || *known != (op == "And") || !Same(other, node.outputs[0])) continue;
      editor_.ReplaceUses(node.outputs[0], other);
      return Done("decided choice");
    }
    return false;
  }

  std::optional<bool> UniformBool(ValueId value) const {
    const Tensor* constant = graph_.constant(value);
    if (constant == nullptr || constant->dtype() != DType::kBool || constant->num_elements() < 1 ||
        constant->num_elements() > kMaxElements) {
      return std::nullopt;
    }
    const auto values = constant->values<bool>();
    const bool equal =
        std::all_of(values.begin(), values.end(), [&](bool v) { return v == values[0]; });
    return equal ? std::optional(values[0]) : std::nullopt;
  }

  void Replace(NodeId id, absl::string_view op, std::vector<ValueId> inputs) {
    Node replacement;
    replacement.name = graph_.node(id).name;
    replacement.op = &OpRegistry::Builtin().Get("", op);
    replacement.inputs = std::move(inputs);
    editor_.Replace(id, std::move(replacement));
  }

  Graph& graph_;
  const PassContext& context_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<int> SimplifyArithmetic(Graph& graph, const PassContext& context) {
  return ArithmeticSimplifier(graph, context).Run();
}

}  // namespace inferd
