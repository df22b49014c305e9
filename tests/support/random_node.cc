#include "tests/support/random_node.h"

#include <algorithm>
#include <ctime>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/pass.h"
#include "engine/plan/binder.h"
#include "engine/plan/plan_builder.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/providers.h"
#include "engine/runtime/executor.h"
#include "tests/support/random_tensor.h"

namespace inferd::testing {
namespace {

constexpr int kAttempts = 12;
constexpr int64_t kLimitBytes = 1 << 20;

// Operators of one step: those with bodies have tests of their own.
const std::vector<const OpDef*>& Operators() {
  static const auto* const operators = [] {
    auto* list = new std::vector<const OpDef*>;
    for (const OpDef* op : OpRegistry::Builtin().All()) {
      if (op->op_class != OpClass::kControlFlow && op->domain != "inferd") list->push_back(op);
    }
    return list;
  }();
  return *operators;
}

// Draws one node; the choices that attributes and inputs share are made once a node.
class NodeMaker {
 public:
  NodeMaker(const OpDef& op, ByteChooser& choose) : op_(op), choose_(choose) {
    shape_ = RandomShape(choose_);
    dtype_ = RandomDType(choose_);
    list_length_ = choose_.Below(5);
  }

  RandomNodeModel Make() {
    Node node;
    node.name = "n";
    node.op = &op_;
    for (const AttributeSpec& spec : op_.attributes) SetAttribute(spec, node.attributes);
    const int inputs = Count(op_.min_inputs, op_.max_inputs);
    for (int i = 0; i < inputs; ++i) node.inputs.push_back(AddOperand(i));
    const int outputs = std::max(1, Count(op_.min_outputs, op_.max_outputs));
    for (int i = 0; i < outputs; ++i) {
      const bool absent = outputs > 1 && choose_.OneIn(8);
      node.outputs.push_back(absent ? kNoValue : model_.graph.AddValue(absl::StrCat("y", i)));
    }
    if (node.outputs[0] == kNoValue) node.outputs[0] = model_.graph.AddValue("y0");
    for (ValueId output : node.outputs) {
      if (output != kNoValue) model_.graph.MarkOutput(output);
    }
    model_.graph.AddNode(std::move(node));
    return std::move(model_);
  }

 private:
  int Count(int min, int max) {
    return std::min(max, min + choose_.Below(std::min(max - min, 6 - std::min(min, 5)) + 1));
  }

  ValueId AddOperand(int index) {
    if (index >= op_.min_inputs && choose_.OneIn(6)) return kNoValue;
    Tensor value = RandomOperand();
    const std::string name = absl::StrCat("x", index);
    if (value.kind() == ValueKind::kTensor && choose_.OneIn(2)) {
      return model_.graph.AddConstant(name, std::move(value));
    }
    model_.inputs.push_back(value);
    return model_.graph.AddInput(name, DeclaredType(value));
  }

  Tensor RandomOperand() {
    const bool containers =
        absl::StrContains(op_.name, "Sequence") || absl::StrContains(op_.name, "Optional");
    const bool maps = absl::StrContains(op_.name, "Map") || absl::StrContains(op_.name, "Dict");
    if (containers ? choose_.OneIn(2) : choose_.OneIn(60)) {
      std::vector<Tensor> elements;
      for (int i = choose_.Below(4); i > 0; --i) elements.push_back(RandomPlainTensor());
      return choose_.OneIn(4) ? Tensor::Optional({RandomPlainTensor()})
                              : Tensor::Sequence(std::move(elements));
    }
    if (maps ? !choose_.OneIn(4) : choose_.OneIn(100)) {
      const Shape shape({list_length_});
      return Tensor::Map(
          RandomTensorOf(choose_.OneIn(2) ? DType::kInt64 : DType::kString, shape, choose_),
          RandomTensorOf(dtype_, shape, choose_));
    }
    const DType dtype = !choose_.OneIn(3)  ? dtype_
                        : choose_.OneIn(2) ? DType::kInt64
                                           : RandomDType(choose_);
    return RandomTensorOf(dtype, OperandShape(), choose_);
  }

  Tensor RandomPlainTensor() { return RandomTensorOf(dtype_, OperandShape(), choose_); }

  Shape OperandShape() {
    Shape shape = shape_;
    switch (choose_.Below(10)) {
      case 0:
        return Shape();
      case 1:
        return Shape({choose_.Below(6)});
      case 2:
        return Shape({shape_.rank()});
      case 3:
        return RandomShape(choose_);
      case 4:
        for (int i = 0; i < shape.rank(); ++i) {
          if (choose_.OneIn(2)) shape[i] = 1;
        }
        return shape;
      case 5:
        return shape.rank() == 0 ? shape : Shape({shape[choose_.Below(shape.rank())]});
      case 6:
        if (shape.rank() >= 2) std::swap(shape[shape.rank() - 1], shape[shape.rank() - 2]);
        return shape;
      default:
        return shape;
    }
  }

  ValueType DeclaredType(const Tensor& value) {
    switch (value.kind()) {
      case ValueKind::kTensor:
        break;
      case ValueKind::kMap:
        return ValueType::OfMap(
            value.elements()[0].dtype(),
            ValueType::OfTensor(value.elements()[1].dtype(), SymbolicShape::UnknownRank()));
      default: {
        ValueType element = ValueType::OfTensor(dtype_, SymbolicShape::UnknownRank());
        return value.kind() == ValueKind::kSequence ? ValueType::OfSequence(std::move(element))
                                                    : ValueType::OfOptional(std::move(element));
      }
    }
    SymbolicShape shape = value.shape();
    if (choose_.OneIn(8)) shape = SymbolicShape::UnknownRank();
    for (int i = 0; i < shape.rank(); ++i) {
      if (choose_.OneIn(3)) shape[i] = Dim::Unknown();
    }
    return ValueType::OfTensor(value.dtype(), std::move(shape));
  }

  int ListLength(absl::string_view name) {
    const int spatial = std::max(shape_.rank() - 2, 0);
    if (choose_.OneIn(6)) return choose_.Below(6);
    if (name == "pads") return 2 * spatial;
    if (name == "kernel_shape" || name == "strides" || name == "dilations") return spatial;
    if (name == "perm") return shape_.rank();
    return list_length_;
  }

  int64_t Integer(absl::string_view name, int place) {
    if (choose_.OneIn(12)) return RandomHugeInteger(choose_);
    if (name == "to" || absl::StrContains(name, "dtype")) return choose_.Below(28);
    if (name == "axis") return choose_.Below(2 * shape_.rank() + 2) - shape_.rank() - 1;
    if (name == "perm") return shape_.rank() - 1 - place;
    if (absl::StrContains(name, "shape") || absl::StrContains(name, "size")) {
      return 1 + choose_.Below(3);
    }
    return choose_.OneIn(2) ? choose_.Below(2) : choose_.Below(7) - 2;
  }

  void SetAttribute(const AttributeSpec& spec, Attributes& attributes) {
    if (!spec.required && choose_.OneIn(2)) return;
    const std::string name(spec.name);
    const int length = ListLength(name);
    switch (spec.kind) {
      case AttributeKind::kInt:
        return attributes.Set(name, Integer(name, 0));
      case AttributeKind::kFloat:
        return attributes.Set(name, RandomFloat(choose_));
      case AttributeKind::kString:
        return attributes.Set(name, RandomWord(choose_));
      case AttributeKind::kInts: {
        std::vector<int64_t> list;
        for (int i = 0; i < length; ++i) list.push_back(Integer(name, i));
        return attributes.Set(name, std::move(list));
      }
      case AttributeKind::kFloats: {
        std::vector<float> list;
        for (int i = 0; i < length; ++i) list.push_back(RandomFloat(choose_));
        return attributes.Set(name, std::move(list));
      }
      case AttributeKind::kStrings: {
        std::vector<std::string> list;
        for (int i = 0; i < length; ++i) list.push_back(RandomWord(choose_));
        return attributes.Set(name, std::move(list));
      }
      case AttributeKind::kTensor:
        return attributes.Set(name, choose_.OneIn(2)
                                        ? RandomTensorOf(dtype_, Shape({length}), choose_)
                                        : RandomPlainTensor());
      case AttributeKind::kTensors:
        return attributes.Set(name, std::vector<Tensor>{RandomPlainTensor()});
      case AttributeKind::kGraph:
        return;
    }
  }

  const OpDef& op_;
  ByteChooser& choose_;
  RandomNodeModel model_;
  Shape shape_;
  DType dtype_;
  int list_length_;
};

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

bool AllEmpty(const std::vector<Tensor>& outputs) {
  return std::all_of(outputs.begin(), outputs.end(), [](const Tensor& output) {
    return output.kind() == ValueKind::kTensor && output.num_elements() == 0;
  });
}

// Empty answers need no look at the inputs' values: only one provider may have refused them.
absl::Status CompareAnswers(const absl::StatusOr<std::vector<Tensor>>& portable,
                            const absl::StatusOr<std::vector<Tensor>>& cpu) {
  if (portable.ok() != cpu.ok()) {
    if (AllEmpty(portable.ok() ? *portable : *cpu)) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("portable: ", portable.status().ToString(),
                                            "; cpu: ", cpu.status().ToString()));
  }
  for (size_t i = 0; portable.ok() && i < portable->size(); ++i) {
    const std::string a = (*portable)[i].TypeString();
    const std::string b = (*cpu)[i].TypeString();
    if (a == b) continue;
    return absl::InternalError(
        absl::StrCat("output ", i, " is ", a, " on portable, ", b, " on cpu"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string RandomNodeModel::Describe() const {
  std::string text = graph.ToString();
  for (const Tensor& input : inputs) absl::StrAppend(&text, "input ", input.TypeString(), "\n");
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr) continue;
    absl::StrAppend(&text, graph.value(id).name, " ", constant->TypeString());
    const auto values = constant->ToInt64s();
    if (values.ok()) absl::StrAppend(&text, " {", absl::StrJoin(*values, ","), "}");
    absl::StrAppend(&text, "\n");
  }
  return text;
}

int NumRandomOperators() { return static_cast<int>(Operators().size()); }

RandomNodeModel MakeRandomNode(absl::Span<const uint8_t> bytes) {
  ByteChooser choose(bytes);
  const OpDef& op = *Operators()[choose.Below(NumRandomOperators())];
  RandomNodeModel model;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    model = NodeMaker(op, choose).Make();
    Graph graph = model.graph;
    if (InferGraph(graph).ok()) break;
  }
  return model;
}

absl::StatusOr<std::vector<Tensor>> RunRandomNode(const RandomNodeModel& model,
                                                  const std::string& provider,
                                                  int64_t limit_bytes) {
  EngineConfig config;
  config.providers = {provider};
  config.max_arena_bytes = limit_bytes;
  ASSIGN_OR_RETURN(const auto providers, MakeProviders(config));
  Graph graph = model.graph;
  RETURN_IF_ERROR(graph.SortAndCompact());
  RETURN_IF_ERROR(InferGraph(graph));
  RETURN_IF_ERROR(RunPasses(GraphPasses(), graph, {config, providers}).status());
  std::vector<Shape> shapes;
  for (const Tensor& input : model.inputs) shapes.push_back(input.shape());
  ASSIGN_OR_RETURN(Graph bound, BindShapes(graph, shapes));
  RETURN_IF_ERROR(RunPasses(BoundPasses(), bound, {config, providers}).status());
  WeightStore weights;
  PlanOptions options;
  options.providers = providers;
  options.weights = &weights;
  options.max_arena_bytes = limit_bytes;
  ASSIGN_OR_RETURN(auto plan, BuildPlan(bound, options));
  Executor executor(std::move(plan));
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  RETURN_IF_ERROR(executor.Run(slot, model.inputs, &outputs));
  for (Tensor& output : outputs) {
    ASSIGN_OR_RETURN(output, output.Clone());
  }
  return outputs;
}

absl::Status CheckRandomNode(const RandomNodeModel& model, double max_cpu_seconds) {
  const double start = CpuSeconds();
  const auto portable = RunRandomNode(model, "portable", kLimitBytes);
  const double middle = CpuSeconds();
  const auto cpu = RunRandomNode(model, "cpu", kLimitBytes);
  const double seconds = std::max(middle - start, CpuSeconds() - middle);
  if (seconds > max_cpu_seconds) {
    return absl::InternalError(absl::StrCat("a run took ", seconds, " s"));
  }
  for (const absl::Status& status : {portable.status(), cpu.status()}) {
    if (status.code() == absl::StatusCode::kInternal) return status;
  }
  return CompareAnswers(portable, cpu);
}

}  // namespace inferd::testing
