#include "engine/passes/padding_proof.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/shape_inference.h"
#include "engine/ops/strided_attention.h"
#include "engine/passes/token_pooling.h"

namespace inferd {
namespace {

// Scores so low are hidden, and values so low are no maximum.
constexpr double kHiddenScore = -1e4;
constexpr double kLowValue = -1e9;
// Larger constants are not looked at for being one value throughout.
constexpr int64_t kMaxConstant = int64_t{1} << 24;

// What is known of a value with an entry for each token, where a mask, an input of the model, is 0.
struct MaskedValue {
  int mask = -1;         // which input; -1: nothing is known
  Tensor function;       // [2], with data: the value where the mask is 0 and 1, made of that alone
  bool is_zero = false;  // where the mask is 0
  bool is_low = false;   // likewise
};

// Element `i` as a number; NaN where it is none.
double NumberAt(const Tensor& tensor, int64_t i) {
  double number = std::numeric_limits<double>::quiet_NaN();
  if (tensor.dtype() == DType::kBool) return tensor.data<bool>()[i] ? 1 : 0;
  DispatchNumeric(tensor.dtype(), [&](auto tag) {
    number = static_cast<double>(tensor.data<typename decltype(tag)::type>()[i]);
    return absl::OkStatus();
  }).IgnoreError();
  return number;
}

bool IsIntegerOrBool(DType dtype) { return dtype == DType::kBool || IsInteger(dtype); }

// Walks a bound graph and follows what becomes of the masks. Used once, by one thread.
class PaddingProof {
 public:
  PaddingProof(const SequenceBindings& bindings, absl::Span<const TokenForm> forms)
      : bindings_(bindings), graph_(*bindings.longer), forms_(forms) {}

  absl::StatusOr<int> Run() {
    values_.resize(graph_.num_values());
    RETURN_IF_ERROR(AddInputs());
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      if (!graph_.node(id).removed) RETURN_IF_ERROR(AddNode(graph_.node(id)));
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      if (FormOf(graph_.outputs()[i]).is_sequences()) continue;
      return Refused(absl::StrCat("output ", graph_.output_name(static_cast<int>(i)),
                                  " has an entry for each token"));
    }
    if (mask_ < 0) return Refused("no input hides tokens");
    return mask_;
  }

 private:
  static absl::Status Refused(const std::string& what) {
    return absl::FailedPreconditionError(what);
  }
  static absl::Status RefusedNode(const Node& node) {
    return Refused(absl::StrCat(NodeLabel(node), " is reached by tokens that no mask hides"));
  }

  TokenForm FormOf(ValueId id) const { return id == kNoValue ? TokenForm() : forms_[id]; }

  absl::Status AddInputs() {
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      const ValueId id = graph_.inputs()[i];
      const DType dtype = graph_.value(id).type.dtype;
      if (!IsIntegerOrBool(dtype)) {
        return Refused(absl::StrCat("input ", graph_.value(id).name, " is not of integers"));
      }
      if (bindings_.RankOf(id) != 2) continue;
      Tensor function;
      if (dtype == DType::kInt64) {
        function = Tensor::FromValues<int64_t>(Shape({2}), {0, 1});
      } else if (dtype == DType::kInt32) {
        function = Tensor::FromValues<int32_t>(Shape({2}), {0, 1});
      } else {
        continue;
      }
      values_[id] = OfFunction(static_cast<int>(i), std::move(function));
    }
    return absl::OkStatus();
  }

  static MaskedValue OfFunction(int mask, Tensor function) {
    const double at_zero = NumberAt(function, 0);
    return {.mask = mask,
            .function = std::move(function),
            .is_zero = at_zero == 0,
            .is_low = at_zero <= kLowValue};
  }

  absl::Status AddNode(const Node& node) {
    if (node.op->domain == "inferd" && node.op->name == "Attention") return CheckAttention(node);
    const TokenForm first = node.inputs.empty() ? TokenForm() : FormOf(node.inputs[0]);
    if (const auto pooling = PoolingOf(bindings_, node, first)) {
      return CheckPooling(node, pooling->kind);
    }
    if (!node.epilogue.empty()) return absl::OkStatus();
    const MaskedValue value = ValueOf(node, first);
    for (ValueId output : node.outputs) {
      if (output != kNoValue && FormOf(output).is_tokens()) values_[output] = value;
    }
    return absl::OkStatus();
  }

  // One mask decides all.
  absl::Status Use(const Node& node, int mask) {
    if (mask_ >= 0 && mask != mask_) return RefusedNode(node);
    mask_ = mask;
    return absl::OkStatus();
  }

  absl::Status CheckAttention(const Node& node) {
    ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(node.attributes));
    if (attention.causal) return absl::OkStatus();
    const auto operand = [&](size_t i) {
      const bool kept = i < node.inputs.size() && FormOf(node.inputs[i]).is_tokens();
      return kept ? &values_[node.inputs[i]] : nullptr;
    };
    const MaskedValue* bias = operand(3);
    const MaskedValue* mask = operand(4);
    const MaskedValue* by = bias != nullptr ? bias : mask;
    if (by == nullptr || (bias != nullptr && mask != nullptr) || !by->function.has_data()) {
      return RefusedNode(node);
    }
    const double at_zero = NumberAt(by->function, 0);
    const double at_one = NumberAt(by->function, 1);
    const double hidden = attention.mask_hides ? 1 : 0;
    const bool hides = bias != nullptr ? at_zero <= kHiddenScore && at_one == 0
                                       : at_zero == hidden && at_one == 1 - hidden &&
                                             attention.hidden <= kHiddenScore;
    return hides ? Use(node, by->mask) : RefusedNode(node);
  }

  absl::Status CheckPooling(const Node& node, absl::string_view kind) {
    // The first token is no padding: a mask that begins with 0 takes the usual way.
    if (kind == "first") return absl::OkStatus();
    const MaskedValue& value = values_[node.inputs[0]];
    const bool adds_nothing = (kind == "sum" && value.is_zero) || (kind == "max" && value.is_low);
    return adds_nothing ? Use(node, value.mask) : RefusedNode(node);
  }

  MaskedValue ValueOf(const Node& node, const TokenForm& first) {
    const absl::string_view op = node.op->name;
    if (node.op->op_class == OpClass::kElementwise) {
      if (std::optional<MaskedValue> value = Evaluated(node)) return *std::move(value);
      return Combined(node);
    }
    // What moves elements within their token; a lookup's table has none.
    const bool moves = node.op->op_class == OpClass::kView || op == "Transpose" || op == "Expand" ||
                       op == "Slice" || op == "Split" || op == "Gather" || op == "GatherND";
    return moves && node.op->domain.empty() && first.is_tokens() ? values_[node.inputs[0]]
                                                                 : MaskedValue();
  }

  // A constant that is one value throughout, as [1].
  std::optional<Tensor> SingleValue(ValueId id) const {
    const Tensor* constant = graph_.constant(id);
    if (constant == nullptr || constant->kind() != ValueKind::kTensor ||
        constant->dtype() == DType::kString || constant->num_elements() < 1 ||
        constant->num_elements() > kMaxConstant) {
      return std::nullopt;
    }
    const int64_t bytes = ElementBytes(constant->dtype());
    const char* data = static_cast<const char*>(constant->raw());
    // Each element equals the one before it.
    if (std::memcmp(data, data + bytes, constant->byte_size() - bytes) != 0) return std::nullopt;
    absl::StatusOr<Tensor> single = Tensor::Allocate(constant->dtype(), Shape({1}));
    if (!single.ok()) return std::nullopt;
    std::memcpy(single->mutable_raw(), data, bytes);
    return *std::move(single);
  }

  // What an elementwise node makes of functions of one mask and of constants; nullopt where it
  // takes anything else.
  std::optional<MaskedValue> Evaluated(const Node& node) const {
    Graph graph;
    Node copy;
    copy.op = node.op;
    copy.attributes = node.attributes;
    int mask = -1;
    for (ValueId input : node.inputs) {
      if (input == kNoValue) {
        copy.inputs.push_back(kNoValue);
        continue;
      }
      const MaskedValue& value = values_[input];
      std::optional<Tensor> tensor;
      if (value.function.has_data()) {
        if (mask >= 0 && mask != value.mask) return std::nullopt;
        mask = value.mask;
        tensor = value.function;
      } else {
        tensor = SingleValue(input);
      }
      if (!tensor) return std::nullopt;
      copy.inputs.push_back(graph.AddConstant("", *std::move(tensor)));
    }
    if (mask < 0 || node.outputs.size() != 1) return std::nullopt;
    copy.outputs = {graph.AddValue("")};
    const NodeId id = graph.AddNode(std::move(copy));
    if (!InferNode(graph, id).ok()) return std::nullopt;
    auto results = EvaluateNode(graph, graph.node(id), 64);
    if (!results.ok() || results->size() != 1 || (*results)[0].num_elements() != 2) {
      return std::nullopt;
    }
    return OfFunction(mask, std::move((*results)[0]));
  }

  // What else is known of products and choices.
  MaskedValue Combined(const Node& node) const {
    const absl::string_view op = node.op->name;
    if (op == "Mul") {
      for (ValueId input : node.inputs) {
        if (values_[input].is_zero) return {.mask = values_[input].mask, .is_zero = true};
      }
    } else if (op == "Cast" && values_[node.inputs[0]].is_zero) {
      return {.mask = values_[node.inputs[0]].mask, .is_zero = true};
    } else if (op == "Where" && values_[node.inputs[0]].function.has_data()) {
      return Chosen(node);
    }
    return {};
  }

  MaskedValue Chosen(const Node& node) const {
    const MaskedValue& condition = values_[node.inputs[0]];
    const ValueId chosen = node.inputs[NumberAt(condition.function, 0) != 0 ? 1 : 2];
    if (const auto single = SingleValue(chosen)) {
      const double value = NumberAt(*single, 0);
      return {.mask = condition.mask, .is_zero = value == 0, .is_low = value <= kLowValue};
    }
    const MaskedValue& value = values_[chosen];
    if (value.mask != condition.mask) return {};
    return {.mask = value.mask, .is_zero = value.is_zero, .is_low = value.is_low};
  }

  const SequenceBindings bindings_;
  const Graph& graph_;
  const absl::Span<const TokenForm> forms_;
  std::vector<MaskedValue> values_;  // by value of the graph
  int mask_ = -1;
};

}  // namespace

absl::StatusOr<int> FindPaddingMask(const SequenceBindings& bindings,
                                    absl::Span<const TokenForm> forms) {
  return PaddingProof(bindings, forms).Run();
}

}  // namespace inferd
