#include "engine/providers/cuda/elementwise_plan.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/providers/cuda/elementwise_ops.h"
#include "engine/providers/cuda/generated_kernels.h"
#include "engine/providers/cuda/node_checks.h"

namespace inferd::cuda {
namespace {

// Of why a kernel was not generated.
constexpr size_t kMostNote = 200;
const ElementwiseOp* RuleFor(const OpDef& op) {
  const auto* rule = std::find_if(
      std::begin(kElementwiseOps), std::end(kElementwiseOps),
      [&](const ElementwiseOp& r) { return r.op == op.name && r.domain == op.domain; });
  return rule == std::end(kElementwiseOps) ? nullptr : rule;
}

Instruction Unary(const ElementwiseOp& rule, const Attributes& attributes) {
  Instruction instruction;
  instruction.code = rule.code;
  if (!rule.p_name.empty()) instruction.p = attributes.Float(rule.p_name, rule.p);
  if (!rule.q_name.empty()) instruction.q = attributes.Float(rule.q_name, rule.q);
  if (rule.op == "Gelu" && attributes.String("approximate", "none") == "tanh") {
    instruction.code = Code::kGeluTanh;
  }
  return instruction;
}

}  // namespace

// Makes one plan; all but Finish also without knowing shapes, to see whether it can be. Used by one
// thread, once.
class ElementwisePlanner {
 public:
  ElementwisePlanner(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  // False where there is no such plan.
  bool AddNode() {
    const ElementwiseOp* rule = RuleFor(*node_.op);
    if (rule == nullptr || node_.outputs.size() != 1 || node_.inputs.empty()) return false;
    if (!AddInputs(*rule) || !SetArithmetic(*rule)) return false;
    return AddInstructions(*rule);
  }

  bool BeginAtOutput() {
    if (node_.outputs.empty() || node_.outputs[0] == kNoValue) return false;
    plan_.program_.arithmetic = Arithmetic::kFloat;
    return AddInput(ElementwisePlan::kOutput) >= 0;
  }

  bool AddEpilogue(size_t skip) {
    for (size_t s = skip; s < node_.epilogue.size(); ++s) {
      if (!AddStep(node_.epilogue[s])) return false;
    }
    return true;
  }

  ElementwisePlan Finish() {
    ElementwiseProgram& program = plan_.program_;
    const ValueId output = node_.outputs[0];
    program.output_type = *TypeOf(graph_, output);
    program.elements = BoundShape(graph_, output).num_elements();
    SetStrides();
    return std::move(plan_);
  }

 private:
  ValueId ValueOf(int source) const {
    return source == ElementwisePlan::kOutput ? node_.outputs[0] : node_.inputs[source];
  }

  // The program's input for one of the step's, -1 when there is no room or no such type.
  int AddInput(int source) {
    const ValueId id = ValueOf(source);
    if (id == kNoValue || plan_.program_.num_inputs == kMaxInputs) return -1;
    const std::optional<Type> type = TypeOf(graph_, id);
    const SymbolicShape& shape = ShapeOf(graph_, id);
    if (!type || !shape.has_rank() || shape.rank() > kMaxDims) return -1;
    plan_.program_.inputs[plan_.program_.num_inputs].type = *type;
    plan_.sources_.push_back(source);
    return plan_.program_.num_inputs++;
  }

  bool AddInputs(const ElementwiseOp& rule) {
    for (int i = 0; i < node_.num_op_inputs(); ++i) {
      if (node_.inputs[i] == kNoValue) {
        if (rule.form != ElementwiseForm::kClip && rule.form != ElementwiseForm::kBiased)
          return false;
        inputs_.push_back(kNumber);
        continue;
      }
      inputs_.push_back(AddInput(i));
      if (inputs_.back() < 0) return false;
    }
    const std::optional<Type> output = TypeOf(graph_, node_.outputs[0]);
    const SymbolicShape& shape = ShapeOf(graph_, node_.outputs[0]);
    return output && shape.has_rank() && shape.rank() <= kMaxDims;
  }

  bool SetArithmetic(const ElementwiseOp& rule) {
    // The condition of a selection is not computed with.
    bool floats = false;
    bool doubles = false;
    const auto look = [&](Type type) {
      floats =
          floats || type == Type::kFloat32 || type == Type::kFloat16 || type == Type::kBfloat16;
      doubles = doubles || type == Type::kFloat64;
    };
    for (int i = rule.form == ElementwiseForm::kSelect ? 1 : 0; i < plan_.program_.num_inputs;
         ++i) {
      look(plan_.program_.inputs[i].type);
    }
    if (rule.form == ElementwiseForm::kCast) look(*TypeOf(graph_, node_.outputs[0]));
    plan_.program_.arithmetic = doubles  ? Arithmetic::kDouble
                                : floats ? Arithmetic::kFloat
                                         : Arithmetic::kInteger;
    return rule.integers || plan_.program_.arithmetic != Arithmetic::kInteger;
  }

  bool Add(const Instruction& instruction) {
    if (plan_.program_.num_instructions == kMaxInstructions) return false;
    plan_.program_.instructions[plan_.program_.num_instructions++] = instruction;
    return true;
  }

  bool AddBinary(Code code, int y, bool reversed = false) {
    Instruction instruction;
    instruction.code = code;
    instruction.y = static_cast<int8_t>(y);
    instruction.reversed = reversed;
    return Add(instruction);
  }

  bool AddInstructions(const ElementwiseOp& rule) {
    switch (rule.form) {
      case ElementwiseForm::kUnary:
        return inputs_.size() == 1 && Add(Unary(rule, node_.attributes));
      case ElementwiseForm::kBinary:
        return inputs_.size() == 2 && AddBinary(rule.code, inputs_[1]);
      case ElementwiseForm::kVariadic:
        for (size_t i = 1; i < inputs_.size(); ++i) {
          if (!AddBinary(rule.code, inputs_[i])) return false;
        }
        // A program is not empty.
        return inputs_.size() > 1;
      case ElementwiseForm::kSelect: {
        if (inputs_.size() != 3) return false;
        Instruction instruction;
        instruction.code = Code::kSelect;
        instruction.y = static_cast<int8_t>(inputs_[1]);
        instruction.z = static_cast<int8_t>(inputs_[2]);
        return Add(instruction);
      }
      case ElementwiseForm::kClip:
        return AddClip();
      case ElementwiseForm::kCast: {
        // The conversion is in loading and storing; x - 0 keeps even a -0.
        Instruction nothing;
        nothing.code = Code::kSub;
        return inputs_.size() == 1 && Add(nothing);
      }
      case ElementwiseForm::kBiased:
        if (inputs_.size() > 1 && inputs_[1] >= 0 && !AddBinary(Code::kAdd, inputs_[1])) {
          return false;
        }
        return Add(Unary(rule, node_.attributes));
    }
    return false;
  }

  // x, then its bounds, of which either may be absent.
  bool AddClip() {
    if (inputs_[0] < 0) return false;
    if (inputs_.size() > 1 && inputs_[1] >= 0 && !AddBinary(Code::kMax, inputs_[1])) return false;
    if (inputs_.size() > 2 && inputs_[2] >= 0 && !AddBinary(Code::kMin, inputs_[2])) return false;
    return plan_.program_.num_instructions > 0;
  }

  // A step of the epilogue: the bounds of a Clip are attributes.
  bool AddStep(const EpilogueStep& step) {
    const ElementwiseOp* rule = RuleFor(*step.op);
    if (rule == nullptr || plan_.program_.arithmetic == Arithmetic::kInteger) return false;
    if (rule->form == ElementwiseForm::kUnary) return Add(Unary(*rule, step.attributes));
    if (rule->form == ElementwiseForm::kClip) {
      for (const auto& [name, code] :
           {std::pair("min", Code::kMax), std::pair("max", Code::kMin)}) {
        if (!step.attributes.Has(name)) continue;
        Instruction bound;
        bound.code = code;
        bound.p = step.attributes.Float(name, 0);
        if (!Add(bound)) return false;
      }
      return true;
    }
    if (rule->form != ElementwiseForm::kBinary || step.operand < 0) return false;
    const int operand = AddInput(step.operand);
    return operand >= 0 && AddBinary(rule->code, operand, step.operand_first);
  }

  // The output's dimensions in the order of its memory, neighbours joined where every input allows.
  void SetStrides() {
    const ValueId output = node_.outputs[0];
    const Shape shape = BoundShape(graph_, output);
    std::vector<int> order;
    for (int d = 0; d < shape.rank(); ++d) order.push_back(d);
    if (graph_.value(output).layout == Layout::kChannelsLast && shape.rank() > 2) {
      order.erase(order.begin() + 1);
      order.push_back(1);
    }
    ElementwiseProgram& program = plan_.program_;
    std::vector<Strides> strides(program.num_inputs);
    for (int k = 0; k < program.num_inputs; ++k) strides[k] = Broadcast(plan_.sources_[k], shape);
    program.dims.rank = 0;
    for (const int d : order) {
      if (shape[d] == 1) continue;
      Dims& dims = program.dims;
      const int last = dims.rank - 1;
      bool joins = last >= 0;
      for (int k = 0; joins && k < program.num_inputs; ++k) {
        joins = program.inputs[k].strides.at[last] == strides[k].at[d] * shape[d];
      }
      const int to = joins ? last : dims.rank++;
      dims.size[to] = joins ? dims.size[to] * shape[d] : shape[d];
      for (int k = 0; k < program.num_inputs; ++k) {
        program.inputs[k].strides.at[to] = strides[k].at[d];
      }
    }
    for (int k = 0; k < program.num_inputs; ++k) program.inputs[k].dense = IsDense(k);
  }

  // An input's strides over the output's dimensions.
  Strides Broadcast(int source, const Shape& shape) const {
    const ValueId id = ValueOf(source);
    const Shape from = BoundShape(graph_, id);
    const Strides own = StridesOf(graph_, id);
    Strides strides;
    const int missing = shape.rank() - from.rank();
    for (int d = 0; d < from.rank(); ++d) {
      strides.at[d + missing] = from[d] == 1 ? 0 : own.at[d];
    }
    return strides;
  }

  bool IsDense(int k) const {
    const ElementwiseProgram& program = plan_.program_;
    int64_t expected = 1;
    for (int d = program.dims.rank - 1; d >= 0; --d) {
      if (program.inputs[k].strides.at[d] != expected) return false;
      expected *= program.dims.size[d];
    }
    return true;
  }

  const Graph& graph_;
  const Node& node_;
  std::vector<int> inputs_;  // of the operator: the program's inputs, or kNumber for absent ones
  ElementwisePlan plan_;
};

bool ElementwisePlan::SupportsNode(const Graph& graph, const Node& node) {
  ElementwisePlanner planner(graph, node);
  return planner.AddNode() && planner.AddEpilogue(0);
}

absl::StatusOr<ElementwisePlan> ElementwisePlan::OfNode(const Graph& graph, const Node& node) {
  ElementwisePlanner planner(graph, node);
  if (!planner.AddNode() || !planner.AddEpilogue(0)) {
    return absl::InternalError(
        absl::StrCat(node.op->name, " was prepared without being supported"));
  }
  return planner.Finish();
}

bool ElementwisePlan::SupportsEpilogue(const Graph& graph, const Node& node, size_t skip) {
  if (node.epilogue.size() <= skip) return true;
  ElementwisePlanner planner(graph, node);
  return IsFloatType(DTypeOf(graph, node.outputs[0])) && planner.BeginAtOutput() &&
         planner.AddEpilogue(skip);
}

absl::StatusOr<ElementwisePlan> ElementwisePlan::Epilogue(const Graph& graph, const Node& node,
                                                          size_t skip) {
  if (node.epilogue.size() <= skip) return ElementwisePlan();
  ElementwisePlanner planner(graph, node);
  if (!planner.BeginAtOutput() || !planner.AddEpilogue(skip)) {
    return absl::InternalError(
        absl::StrCat("the epilogue of ", node.op->name, " was prepared without being supported"));
  }
  return planner.Finish();
}

void ElementwisePlan::Generate(GeneratedKernels& kernels) {
  if (empty()) return;
  auto kernel = kernels.For(program_);
  if (kernel.ok()) {
    generated_ = *std::move(kernel);
    note_ = " (generated)";
  } else if (!absl::IsUnavailable(kernel.status())) {
    const std::string why(kernel.status().message());
    note_ =
        absl::StrCat(" (interpreted: ", why.substr(0, std::min(why.find('\n'), kMostNote)), ")");
  }
}

void ElementwisePlan::Launch(const StepContext& context, CudaContext& cuda) const {
  if (empty()) return;
  const auto data = [&](int k) -> const void* {
    return (sources_[k] == kOutput ? context.outputs[0] : context.inputs[sources_[k]])->raw();
  };
  if (generated_ != nullptr) {
    ChainArguments chain;
    chain.output = context.outputs[0]->mutable_raw();
    chain.elements = program_.elements;
    chain.dims = program_.dims;
    for (int k = 0; k < program_.num_inputs; ++k) {
      chain.inputs[k] = data(k);
      chain.strides[k] = program_.inputs[k].strides;
    }
    generated_->Launch(chain, cuda.stream());
    return;
  }
  ElementwiseProgram program = program_;
  program.output = context.outputs[0]->mutable_raw();
  for (int k = 0; k < program.num_inputs; ++k) program.inputs[k].data = data(k);
  LaunchElementwise(program, cuda.stream());
}

}  // namespace inferd::cuda
