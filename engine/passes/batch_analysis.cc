#include "engine/passes/batch_analysis.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/shape_inference.h"

namespace inferd {
namespace {

enum class Kind : uint8_t { kInvariant, kRows, kMixed };

// Operators that work on each image of dimension 0 alone when only their first input has rows.
constexpr absl::string_view kPerImage[] = {"Conv",
                                           "ConvTranspose",
                                           "MaxPool",
                                           "AveragePool",
                                           "GlobalAveragePool",
                                           "GlobalMaxPool",
                                           "InstanceNormalization",
                                           "GroupNormalization",
                                           "LRN",
                                           "BatchNormalization",
                                           "DepthToSpace",
                                           "SpaceToDepth",
                                           "GlobalLpPool",
                                           "LpPool",
                                           "ConvInteger",
                                           "QLinearConv",
                                           "QLinearAveragePool",
                                           "QLinearGlobalAveragePool",
                                           "NhwcMaxPool"};
// Elementwise operators over quantized tensors, whose scales and zero points have one element.
constexpr absl::string_view kQuantizedElementwise[] = {"QLinearAdd", "QLinearMul", "QLinearWhere",
                                                       "QLinearSigmoid", "QLinearLeakyRelu"};
// Operators of ai.onnx.ml over [N, features].
constexpr absl::string_view kPerRow[] = {"TreeEnsembleClassifier",
                                         "TreeEnsembleRegressor",
                                         "TreeEnsemble",
                                         "LinearClassifier",
                                         "LinearRegressor",
                                         "Scaler",
                                         "Normalizer",
                                         "Imputer",
                                         "Binarizer",
                                         "LabelEncoder",
                                         "OneHotEncoder",
                                         "SVMClassifier",
                                         "SVMRegressor",
                                         "FeatureVectorizer",
                                         "ArrayFeatureExtractor"};

template <size_t N>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

class RowWalk {
 public:
  RowWalk(const Graph& graph, int64_t batch) : graph_(graph), batch_(batch) {
    kinds_.assign(graph.num_values(), Kind::kMixed);
  }

  RowAnalysis Run() {
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      if (const Tensor* constant = graph_.constant(id)) kinds_[id] = KindOfConstant(*constant);
    }
    for (ValueId id : graph_.inputs()) {
      if (Rank(id) < 1 || Dim(id, 0) != batch_) {
        return Refused(absl::StrCat("input ", graph_.value(id).name, " has no free dimension 0"));
      }
      kinds_[id] = Kind::kRows;
    }
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      const Node& node = graph_.node(id);
      if (node.removed) continue;
      const Kind kind = KindOfNode(node);
      for (ValueId output : node.outputs) {
        if (output == kNoValue) continue;
        // Rows must show in the shape as well.
        kinds_[output] = kind == Kind::kRows && !IsMultiple(output) ? Kind::kMixed : kind;
        if (kinds_[output] == Kind::kMixed && blame_.empty()) blame_ = NodeLabel(node);
      }
    }
    for (ValueId id : graph_.outputs()) {
      if (kinds_[id] != Kind::kRows || Rank(id) < 1 || Dim(id, 0) != batch_) {
        return Refused(
            blame_.empty()
                ? absl::StrCat("output ", graph_.value(id).name,
                               " does not have one row for each row of the inputs")
                : absl::StrCat(blame_, " mixes rows or is not known to keep them apart"));
      }
    }
    return {true, "every node keeps rows apart"};
  }

 private:
  static RowAnalysis Refused(std::string reason) { return {false, std::move(reason)}; }

  int Rank(ValueId id) const {
    const ValueType& type = graph_.value(id).type;
    return type.is_tensor() && type.shape.IsConcrete() ? type.shape.rank() : -1;
  }
  int64_t Dim(ValueId id, int i) const { return graph_.value(id).type.shape[i].value; }
  bool IsMultiple(ValueId id) const { return Rank(id) >= 1 && Dim(id, 0) % batch_ == 0; }
  Kind KindOf(const Node& node, size_t i) const {
    if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return Kind::kInvariant;
    return kinds_[node.inputs[i]];
  }

  // A constant that grew with the batch counts as rows when all its blocks are equal, and as mixed
  // otherwise (row numbers, for instance).
  Kind KindOfConstant(const Tensor& constant) const {
    if (constant.kind() != ValueKind::kTensor || constant.rank() < 1 || constant.dim(0) == 0 ||
        constant.dim(0) % batch_ != 0 || constant.dtype() == DType::kString) {
      return Kind::kInvariant;
    }
    const int64_t block = constant.byte_size() / batch_;
    const char* bytes = static_cast<const char*>(constant.raw());
    for (int64_t b = 1; b < batch_; ++b) {
      if (std::memcmp(bytes, bytes + b * block, block) != 0) return Kind::kMixed;
    }
    return Kind::kRows;
  }

  Kind KindOfNode(const Node& node) const {
    bool any_rows = false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (KindOf(node, i) == Kind::kMixed) return Kind::kMixed;
      any_rows = any_rows || KindOf(node, i) == Kind::kRows;
    }
    if (!node.subgraphs.empty() || !node.op->deterministic) return Kind::kMixed;
    if (!any_rows) return Kind::kInvariant;
    const bool ok = (node.op->domain.empty() || node.op->domain == "com.microsoft")
                        ? KeepsRows(node)
                        : node.op->domain == "ai.onnx.ml" && IsOneOf(node.op->name, kPerRow);
    return ok && EpilogueKeepsRows(node) ? Kind::kRows : Kind::kMixed;
  }

  bool KeepsRows(const Node& node) const {
    const absl::string_view op = node.op->name;
    if (node.op->op_class == OpClass::kElementwise || op == "Expand")
      return BroadcastKeepsRows(node);
    if (op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze" ||
        op == "Identity") {
      return ViewKeepsRows(node);
    }
    if (IsOneOf(op, kQuantizedElementwise)) return BroadcastKeepsRows(node);
    if (op == "MatMul") return MatMulKeepsRows(node);
    if (op == "FusedMatMul") {
      return OnlyFirstHasRows(node) && Rank(node.inputs[0]) >= 2 && Rank(node.inputs[1]) == 2 &&
             node.attributes.Int("transA", 0) == 0 && node.attributes.Int("transBatchA", 0) == 0;
    }
    if (op == "Gather") return GatherKeepsRows(node);
    if (op == "Attention" || op == "MultiHeadAttention") return AttentionKeepsRows(node);
    if (KindOf(node, 0) != Kind::kRows && op != "Concat") return false;
    if (IsOneOf(op, kPerImage)) return OnlyFirstHasRows(node);
    if (op == "Gemm") return GemmKeepsRows(node, 2);
    if (op == "QGemm") return GemmKeepsRows(node, 6);
    if (op == "QuantizeLinear" || op == "DequantizeLinear") return ScaleKeepsRows(node);
    if (op == "MatMulInteger") return ProductKeepsRows(node, {1, {2, 2}});
    if (op == "QLinearMatMul") return ProductKeepsRows(node, {3, {1, 2}});
    if (op == "MatMulIntegerToFloat") return ProductKeepsRows(node, {1, {2, 4}});
    if (op == "MatMulNBits") return OnlyFirstHasRows(node) && Rank(node.inputs[0]) >= 2;
    if (op == "Transpose") {
      const auto& permutation = node.attributes.Ints("perm");
      return !permutation.empty() && permutation[0] == 0;
    }
    if (op == "Concat") {
      return AttributeAxisIsNot0(node, 0) &&
             std::all_of(node.inputs.begin(), node.inputs.end(),
                         [this](ValueId id) { return kinds_[id] == Kind::kRows; });
    }
    if (op == "Softmax" || op == "QLinearSoftmax" || op == "LogSoftmax" || op == "Hardmax" ||
        op == "LayerNormalization" || op == "RMSNormalization" || op == "LpNormalization") {
      return OnlyFirstHasRows(node) && AttributeAxisIsNot0(node, -1);
    }
    if (op == "ArgMax" || op == "ArgMin" || op == "Split" || op == "GatherElements") {
      return AttributeAxisIsNot0(node, 0);
    }
    if (op == "TopK") return OnlyFirstHasRows(node) && AttributeAxisIsNot0(node, -1);
    if (absl::string_view(op).substr(0, 6) == "Reduce") return ListedAxesAreNot0(node, 1);
    if (op == "Slice") return ListedAxesAreNot0(node, 3);
    if (op == "Pad") return OnlyFirstHasRows(node) && SameDim0(node) && PadsNothingAtDim0(node);
    if (op == "Resize") {
      return OnlyFirstHasRows(node) && SameDim0(node) &&
             node.attributes.String("coordinate_transformation_mode", "") != "tf_crop_and_resize";
    }
    return op == "Tile" && OnlyFirstHasRows(node) && SameDim0(node);
  }

  bool SameDim0(const Node& node) const {
    return Rank(node.outputs[0]) >= 1 && Dim(node.outputs[0], 0) == Dim(node.inputs[0], 0);
  }

  bool PadsNothingAtDim0(const Node& node) const {
    if (node.inputs.size() > 3 && node.inputs[3] != kNoValue) return false;
    const Tensor* pads = graph_.constant(node.inputs[1]);
    if (pads == nullptr) return false;
    const auto values = pads->ToInt64s();
    const size_t rank = static_cast<size_t>(Rank(node.inputs[0]));
    return values.ok() && values->size() == 2 * rank && (*values)[0] == 0 && (*values)[rank] == 0;
  }

  bool OnlyFirstHasRows(const Node& node) const {
    for (size_t i = 1; i < static_cast<size_t>(node.num_op_inputs()); ++i) {
      if (KindOf(node, i) != Kind::kInvariant) return false;
    }
    return true;
  }

  // Inputs with rows have the output's rank and dimension 0; the others do not reach dimension 0.
  bool BroadcastKeepsRows(const Node& node) const {
    const ValueId output = node.outputs[0];
    const int inputs = node.op->name == "Expand" ? 1 : node.num_op_inputs();
    for (int i = 0; i < inputs; ++i) {
      if (!OperandKeepsRows(node.inputs[i], output)) return false;
    }
    return true;
  }

  bool OperandKeepsRows(ValueId operand, ValueId output) const {
    if (operand == kNoValue) return true;
    const int rank = Rank(output);
    if (rank < 1) return false;
    if (kinds_[operand] == Kind::kRows) {
      return Rank(operand) == rank && Dim(operand, 0) == Dim(output, 0);
    }
    return Rank(operand) >= 0 && (Rank(operand) < rank || Dim(operand, 0) == 1);
  }

  bool EpilogueKeepsRows(const Node& node) const {
    for (const EpilogueStep& step : node.epilogue) {
      if (step.operand >= 0 && !OperandKeepsRows(node.inputs[step.operand], node.outputs[0])) {
        return false;
      }
    }
    return true;
  }

  // Row-major bytes keep their order, so the batch stays outermost while dimension 0 is a multiple.
  bool ViewKeepsRows(const Node& node) const {
    return KindOf(node, 0) == Kind::kRows && IsMultiple(node.outputs[0]);
  }

  bool MatMulKeepsRows(const Node& node) const {
    const ValueId a = node.inputs[0];
    const ValueId b = node.inputs[1];
    if (Rank(a) < 2 || Rank(b) < 2) return false;
    if (KindOf(node, 0) == Kind::kRows && KindOf(node, 1) == Kind::kInvariant) {
      return Rank(b) < Rank(a) || (Rank(a) > 2 && Dim(b, 0) == 1) || (Rank(a) == 2 && Rank(b) == 2);
    }
    if (KindOf(node, 0) == Kind::kRows && KindOf(node, 1) == Kind::kRows) {
      return Rank(a) == Rank(b) && Rank(a) > 2 && Dim(a, 0) == Dim(b, 0);
    }
    return Rank(b) > 2 && (Rank(a) < Rank(b) || Dim(a, 0) == 1);
  }

  bool GemmKeepsRows(const Node& node, size_t addend) const {
    return OnlyFirstHasRows(node) && node.attributes.Int("transA", 0) == 0 &&
           (node.inputs.size() <= addend || node.inputs[addend] == kNoValue ||
            Rank(node.inputs[addend]) < 2 || Dim(node.inputs[addend], 0) == 1);
  }

  bool HasOneElement(const Node& node, size_t i) const {
    if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return true;
    const ValueType& type = graph_.value(node.inputs[i]).type;
    return type.shape.IsConcrete() && type.shape.ToShape().num_elements() == 1;
  }

  // One scale for all rows, or one for each index of another dimension.
  bool ScaleKeepsRows(const Node& node) const {
    if (!OnlyFirstHasRows(node)) return false;
    return HasOneElement(node, 1) || (Rank(node.inputs[1]) == 1 && AttributeAxisIsNot0(node, 1));
  }

  struct ProductInputs {
    size_t b;
    size_t row_parameters[2];  // could have one value a row
  };
  // A product of quantized matrices: input 0 with rows, the rest the same for all of them.
  bool ProductKeepsRows(const Node& node, const ProductInputs& inputs) const {
    const int rank = Rank(node.inputs[0]);
    return OnlyFirstHasRows(node) && rank >= 2 && Rank(node.inputs[inputs.b]) == 2 &&
           HasOneElement(node, inputs.row_parameters[0]) &&
           HasOneElement(node, inputs.row_parameters[1]);
  }

  // Each batch entry attends to itself. What an input must be, by operator: r rows, c the same for
  // all, k rows (a mask of keys) or the same for all, b rows of rank 4 (a bias that broadcasts to
  // the scores) or the same for all.
  bool AttentionKeepsRows(const Node& node) const {
    const absl::string_view wanted = node.op->name == "MultiHeadAttention" ? "rrrckbrr"
                                     : node.op->domain.empty()             ? "rrrbrrr"
                                                                           : "rcck?b";
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue) continue;
      const char kind = i < wanted.size() ? wanted[i] : '?';
      if (KindOf(node, i) == Kind::kInvariant) {
        const int rank = Rank(node.inputs[i]);
        const bool shared = rank >= 0 && (rank < 4 || Dim(node.inputs[i], 0) == 1);
        if (kind != 'c' && !((kind == 'k' || kind == 'b') && shared)) return false;
      } else if (kind == 'c' || kind == '?' || Rank(node.inputs[i]) < (kind == 'b' ? 4 : 1) ||
                 Dim(node.inputs[i], 0) != batch_) {
        return false;
      }
    }
    return true;
  }

  bool GatherKeepsRows(const Node& node) const {
    const int64_t axis = node.attributes.Int("axis", 0);
    const bool first_axis = axis == 0 || axis == -Rank(node.inputs[0]);
    if (KindOf(node, 0) == Kind::kRows) {
      return KindOf(node, 1) == Kind::kInvariant && !first_axis;
    }
    return first_axis && Rank(node.inputs[1]) >= 1;
  }

  bool IsAxis0(int64_t axis, int rank) const { return axis == 0 || axis == -rank; }

  bool AttributeAxisIsNot0(const Node& node, int64_t missing) const {
    return !IsAxis0(node.attributes.Int("axis", missing), Rank(node.inputs[0]));
  }

  // The axes in input `i`, a constant; absent axes mean all of them (Reduce) or the leading ones.
  bool ListedAxesAreNot0(const Node& node, size_t i) const {
    const Tensor* axes = i < node.inputs.size() ? graph_.constant(node.inputs[i]) : nullptr;
    if (axes == nullptr || axes->num_elements() == 0) return false;
    const auto values = axes->ToInt64s();
    return values.ok() && std::none_of(values->begin(), values->end(), [&](int64_t axis) {
             return IsAxis0(axis, Rank(node.inputs[0]));
           });
  }

  const Graph& graph_;
  const int64_t batch_;
  std::vector<Kind> kinds_;
  std::string blame_;
};

}  // namespace

RowAnalysis AnalyzeRows(const Graph& bound, int64_t batch) { return RowWalk(bound, batch).Run(); }

}  // namespace inferd
