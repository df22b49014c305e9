#include <algorithm>
#include <map>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/cast_constant.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// What 16 bits in memory mean to an operator.
enum class Role : uint8_t {
  kProduct,  // computes in 16 bits and wants its activations so; writes either type
  kMap,      // reads and writes either type, value by value
  kNorm,     // the same, but what it reads had better be float: sums of squares, exponents
  kMove,     // copies elements: inputs and outputs have one type
  kOther,    // floats only
};

constexpr absl::string_view kProducts[] = {"MatMul", "Gemm", "Conv", "ConvTranspose"};
constexpr absl::string_view kNorms[] = {"LayerNormalization", "RMSNormalization", "Softmax",
                                        "LogSoftmax"};
constexpr absl::string_view kPools[] = {"GlobalAveragePool", "GlobalMaxPool", "BatchNormalization"};
constexpr absl::string_view kReductions[] = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"};
constexpr absl::string_view kMoves[] = {
    "Transpose", "Concat",  "Split",  "Slice",       "Gather",       "Pad",   "Expand",
    "Tile",      "MaxPool", "Resize", "AveragePool", "DepthToSpace", "Where", "SpaceToDepth"};

// Constants up to this size are converted for each binding, which keeps them; larger ones keep
// their node in float.
constexpr int64_t kMaxConvertedBytes = 1 << 20;

template <size_t N>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// What values are narrowed to; float32 where nothing is.
DType NarrowType(Precision precision) {
  if (precision == Precision::kBfloat16) return DType::kBfloat16;
  return precision == Precision::kFloat16 ? DType::kFloat16 : DType::kFloat32;
}

// Decides for each float value of a bound graph whether memory holds it in 16 bits: where a
// product reads it, through whatever copies or maps it on the way. Used by one thread at a time.
class PrecisionAssigner {
 public:
  PrecisionAssigner(Graph& graph, const PassContext& context, DType narrow)
      : graph_(graph),
        context_(context),
        narrow_(narrow),
        wanted_(graph.num_values(), false),
        narrowed_(graph.num_values(), false) {}

  absl::StatusOr<int> Run() {
    const NodeId nodes = graph_.num_nodes();
    FindWanted();
    for (NodeId id = 0; id < nodes; ++id) {
      if (!graph_.node(id).removed) RETURN_IF_ERROR(Assign(id));
    }
    return changes_;
  }

 private:
  // The types tried for the values of one node; taken back unless they are kept.
  class Trial {
   public:
    explicit Trial(Graph& graph) : graph_(graph) {}
    ~Trial() {
      for (auto it = before_.rbegin(); it != before_.rend(); ++it) {
        graph_.value(it->first).type.dtype = it->second;
      }
    }
    void Set(ValueId id, DType dtype) {
      before_.emplace_back(id, graph_.value(id).type.dtype);
      graph_.value(id).type.dtype = dtype;
    }

   private:
    Graph& graph_;
    std::vector<std::pair<ValueId, DType>> before_;
  };

  bool IsConcrete(const std::vector<ValueId>& ids) const {
    return std::all_of(ids.begin(), ids.end(), [this](ValueId id) {
      return id == kNoValue ||
             (graph_.value(id).type.is_tensor() && graph_.value(id).type.shape.IsConcrete());
    });
  }

  bool IsFloat(ValueId id) const {
    return id != kNoValue && graph_.value(id).type.is_tensor() &&
           graph_.value(id).type.dtype == DType::kFloat32;
  }
  bool IsNarrowed(ValueId id) const { return id != kNoValue && narrowed_[id]; }

  static bool IsAttention(const Node& node) {
    return node.op->domain == "inferd" &&
           (node.op->name == "Attention" || node.op->name == "PackedAttention");
  }

  Role RoleOf(const Node& node) const {
    // Such a node becomes a dynamic step, which infers its types again.
    if (!IsConcrete(node.inputs) || !IsConcrete(node.outputs)) return Role::kOther;
    if (IsAttention(node)) return Role::kProduct;
    if (!node.op->domain.empty()) return Role::kOther;
    const absl::string_view name = node.op->name;
    if (IsOneOf(name, kProducts)) return Role::kProduct;
    if (IsOneOf(name, kNorms)) return Role::kNorm;
    if (IsOneOf(name, kMoves) || node.op->op_class == OpClass::kView) return Role::kMove;
    if (IsOneOf(name, kPools) || node.op->op_class == OpClass::kElementwise) return Role::kMap;
    if (IsOneOf(name, kReductions)) {
      // Of images they are pools, of rows parts of a norm.
      return graph_.value(node.inputs[0]).type.shape.rank() == 4 ? Role::kMap : Role::kNorm;
    }
    return Role::kOther;
  }

  // The inputs whose elements a node copies or maps.
  std::vector<int> DataInputs(const Node& node, Role role) const {
    const absl::string_view name = node.op->name;
    std::vector<int> data = {0};
    if (name == "Where") {
      data = {1, 2};
    } else if (name == "Pad") {
      data = {0, 2};
    } else if (IsAttention(node)) {
      data = {0, 1, 2};
    } else if (role == Role::kProduct) {
      const bool both = name == "MatMul" || name == "Gemm";
      if (both && graph_.constant(node.inputs[1]) == nullptr) data = {0, 1};
    } else if (name == "Concat" ||
               (role == Role::kMap && node.op->op_class == OpClass::kElementwise)) {
      for (int i = 1; i < node.num_op_inputs(); ++i) data.push_back(i);
    }
    data.erase(std::remove_if(
                   data.begin(), data.end(),
                   [&](int i) { return i >= node.num_op_inputs() || node.inputs[i] == kNoValue; }),
               data.end());
    return data;
  }

  // Backwards from the products.
  void FindWanted() {
    for (NodeId id = graph_.num_nodes() - 1; id >= 0; --id) {
      const Node& node = graph_.node(id);
      if (node.removed) continue;
      const Role role = RoleOf(node);
      const bool passes_on =
          (role == Role::kMap || role == Role::kMove) &&
          std::any_of(node.outputs.begin(), node.outputs.end(),
                      [this](ValueId output) { return output != kNoValue && wanted_[output]; });
      if (role != Role::kProduct && !passes_on) continue;
      for (const int i : DataInputs(node, role)) wanted_[node.inputs[i]] = true;
      // What the epilogue reads is of the same kind as what the operator reads, or the residual of
      // a convolutional net.
      if (role != Role::kMap && !(node.op->name == "Conv" && wanted_[node.outputs[0]])) continue;
      for (size_t i = node.num_op_inputs(); i < node.inputs.size(); ++i) {
        if (node.inputs[i] != kNoValue) wanted_[node.inputs[i]] = true;
      }
    }
    for (const ValueId output : graph_.outputs()) wanted_[output] = false;
  }

  DType WantedType(ValueId id) const {
    return wanted_[id] && !graph_.IsGraphOutput(id) ? narrow_ : DType::kFloat32;
  }

  bool IsCastFrom(const Node& node, DType type) const {
    return node.op->domain.empty() && node.op->name == "Cast" && node.epilogue.empty() &&
           graph_.value(node.inputs[0]).type.is_tensor() &&
           graph_.value(node.inputs[0]).type.dtype == type;
  }

  absl::Status Assign(NodeId id) {
    // Who wants it narrow reads what it casts.
    if (IsCastFrom(graph_.node(id), narrow_) && !IsNarrowed(graph_.node(id).inputs[0])) {
      return absl::OkStatus();
    }
    const Role role = RoleOf(graph_.node(id));
    if (role == Role::kProduct && TryProduct(id)) return absl::OkStatus();
    if ((role == Role::kMap || role == Role::kNorm) && TryMap(id)) return absl::OkStatus();
    if (role == Role::kMove && TryMove(id)) return absl::OkStatus();
    // As it was.
    for (ValueId& input : graph_.node(id).inputs) {
      if (IsNarrowed(input)) RETURN_IF_ERROR(Replace(id, input, DType::kFloat32));
    }
    return absl::OkStatus();
  }

  // Views run nowhere; the portable kernels know no mixture of types.
  bool Runs(NodeId id) const {
    const Node& node = graph_.node(id);
    return (node.op->op_class == OpClass::kView && node.epilogue.empty()) ||
           context_.Accelerated(graph_, node);
  }

  // Tries the node with these inputs in `input_type` and its outputs in theirs, with
  // `wide_epilogue` what its epilogue reads as floats; keeps that where a provider runs it.
  bool TryTypes(NodeId id, const std::vector<int>& data, DType input_type, bool wide_epilogue,
                absl::FunctionRef<DType(ValueId)> output_type) {
    const std::vector<ValueId> inputs = graph_.node(id).inputs;
    const std::vector<ValueId> outputs = graph_.node(id).outputs;
    std::vector<std::pair<int, DType>> casts;
    {
      Trial trial(graph_);
      const auto want = [&](int i, DType type) {
        if (graph_.value(inputs[i]).type.dtype == type) return;
        casts.emplace_back(i, type);
        trial.Set(inputs[i], type);
      };
      for (const int i : data) {
        if (IsFloat(inputs[i]) || IsNarrowed(inputs[i])) want(i, input_type);
      }
      for (size_t i = graph_.node(id).num_op_inputs(); wide_epilogue && i < inputs.size(); ++i) {
        if (IsNarrowed(inputs[i])) want(static_cast<int>(i), DType::kFloat32);
      }
      for (const ValueId output : outputs) {
        if (IsFloat(output)) trial.Set(output, output_type(output));
      }
      if (!Runs(id)) return false;
    }
    for (const auto& [i, type] : casts) {
      if (!Replace(id, graph_.node(id).inputs[i], type).ok()) return false;
    }
    for (const ValueId output : outputs) {
      if (IsFloat(output) && output_type(output) == narrow_) Narrow(output);
    }
    return true;
  }

  bool TryProduct(NodeId id) {
    const Node& node = graph_.node(id);
    const std::vector<int> data = DataInputs(node, Role::kProduct);
    for (const int i : data) {
      const ValueId input = node.inputs[i];
      if (graph_.constant(input) != nullptr || !(IsFloat(input) || IsNarrowed(input))) return false;
    }
    const auto wanted = [this](ValueId output) { return WantedType(output); };
    for (const bool wide_epilogue : {false, true}) {
      if (TryTypes(id, data, narrow_, wide_epilogue, wanted)) return true;
    }
    return false;
  }

  bool TryMap(NodeId id) {
    const Node& node = graph_.node(id);
    const bool touched =
        std::any_of(node.inputs.begin(), node.inputs.end(),
                    [this](ValueId input) { return IsNarrowed(input); }) ||
        std::any_of(node.outputs.begin(), node.outputs.end(), [this](ValueId output) {
          return IsFloat(output) && WantedType(output) == narrow_;
        });
    if (!touched) return true;
    return TryTypes(id, {}, DType::kFloat32, false,
                    [this](ValueId output) { return WantedType(output); });
  }

  bool TryMove(NodeId id) {
    const Node& node = graph_.node(id);
    const std::vector<int> data = DataInputs(node, Role::kMove);
    bool floats = !data.empty();
    bool any_narrow = false;
    bool all_narrow = true;
    for (const int i : data) {
      const ValueId input = node.inputs[i];
      const Tensor* constant = graph_.constant(input);
      floats = floats && (IsFloat(input) || IsNarrowed(input)) &&
               (constant == nullptr || constant->byte_size() <= kMaxConvertedBytes);
      any_narrow = any_narrow || IsNarrowed(input);
      all_narrow = all_narrow && (IsNarrowed(input) || constant != nullptr);
    }
    bool wanted = false;
    for (const ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      if (graph_.IsGraphOutput(output)) return false;
      wanted = wanted || wanted_[output];
    }
    if (!floats || !(wanted || (any_narrow && all_narrow))) return false;
    return TryTypes(id, data, narrow_, false, [this](ValueId) { return narrow_; });
  }

  void Narrow(ValueId id) {
    graph_.value(id).type.dtype = narrow_;
    narrowed_[id] = true;
    ++changes_;
  }

  // Lets node `id` read `input` converted to `type` by a Cast, made once.
  absl::Status Replace(NodeId id, ValueId input, DType type) {
    auto [entry, added] = converted_.try_emplace({input, type}, kNoValue);
    if (added) {
      const ValueId first_made = graph_.num_values();
      ASSIGN_OR_RETURN(entry->second, Converted(input, type));
      narrowed_.resize(graph_.num_values(), false);
      wanted_.resize(graph_.num_values(), false);
      if (entry->second >= first_made) narrowed_[entry->second] = type == narrow_;
      ++changes_;
    }
    std::vector<ValueId>& inputs = graph_.node(id).inputs;
    std::replace(inputs.begin(), inputs.end(), input, entry->second);
    return absl::OkStatus();
  }

  absl::StatusOr<ValueId> Converted(ValueId input, DType type) {
    if (const Tensor* constant = graph_.constant(input)) {
      ASSIGN_OR_RETURN(Tensor converted, CastConstant(*constant, type));
      return graph_.AddConstant("", std::move(converted));
    }
    if (const NodeId producer = graph_.value(input).producer;
        producer != kNoNode && IsCastFrom(graph_.node(producer), type)) {
      return graph_.node(producer).inputs[0];
    }
    ValueType value_type = graph_.value(input).type;
    value_type.dtype = type;
    Node cast;
    cast.name = graph_.value(input).name + "/cast";
    cast.op = &OpRegistry::Builtin().Get("", "Cast");
    cast.inputs = {input};
    cast.outputs = {graph_.AddValue("", std::move(value_type))};
    cast.attributes.Set("to", static_cast<int64_t>(type));
    const ValueId output = cast.outputs[0];
    graph_.AddNode(std::move(cast));
    return output;
  }

  Graph& graph_;
  const PassContext& context_;
  const DType narrow_;
  std::vector<bool> wanted_;    // as that, by value
  std::vector<bool> narrowed_;  // made so
  std::map<std::pair<ValueId, DType>, ValueId> converted_;
  int changes_ = 0;
};

}  // namespace

absl::StatusOr<int> AssignPrecision(Graph& graph, const PassContext& context) {
  const DType narrow = NarrowType(context.config.precision);
  if (narrow == DType::kFloat32) return 0;
  return PrecisionAssigner(graph, context, narrow).Run();
}

}  // namespace inferd
