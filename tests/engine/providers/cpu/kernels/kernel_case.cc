#include "tests/engine/providers/cpu/kernels/kernel_case.h"

#include <cmath>
#include <cstring>
#include <random>

#include "absl/strings/match.h"
#include "engine/core/status_macros.h"
#include "engine/graph/graph.h"
#include "engine/ops/op_registry.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "gtest/gtest.h"

namespace inferd::cpu {
namespace {

struct BoundCase {
  Graph graph;
  NodeId node = kNoNode;
  std::vector<Tensor> inputs;  // in their layouts, in the node's order
};

absl::StatusOr<const OpDef*> FindOp(absl::string_view domain, absl::string_view name) {
  const OpDef* op = OpRegistry::Builtin().Find(domain, name);
  if (op == nullptr) return absl::NotFoundError(absl::StrCat("no operator ", domain, ".", name));
  return op;
}

ValueId AddOperand(const KernelCase::Input& input, BoundCase* bound) {
  if (!input.tensor.has_data()) {
    bound->inputs.emplace_back();
    return kNoValue;
  }
  const std::string name = absl::StrCat("x", bound->inputs.size());
  Tensor tensor = InLayout(input.tensor, input.layout);
  ValueId id = kNoValue;
  if (input.constant) {
    id = bound->graph.AddConstant(name, tensor);
  } else {
    id = bound->graph.AddInput(name, ValueType::OfTensor(tensor.dtype(), tensor.shape()));
  }
  bound->graph.value(id).layout = input.layout;
  bound->inputs.push_back(std::move(tensor));
  return id;
}

absl::Status InferOutputs(const KernelCase& test, Node node, BoundCase* bound) {
  std::vector<const ValueType*> types;
  std::vector<const Tensor*> constants;
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    const ValueId id = node.inputs[i];
    types.push_back(id == kNoValue ? nullptr : &bound->graph.value(id).type);
    constants.push_back(bound->graph.constant(id));
  }
  InferContext context(node, types, constants);
  RETURN_IF_ERROR(node.op->infer(context));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    bound->graph.value(node.outputs[i]).type = context.output_type(static_cast<int>(i));
    bound->graph.value(node.outputs[i]).layout = test.output_layout;
  }
  return absl::OkStatus();
}

absl::StatusOr<BoundCase> Bind(const KernelCase& test) {
  BoundCase bound;
  Node node;
  node.name = "node";
  ASSIGN_OR_RETURN(node.op, FindOp(test.domain, test.op));
  node.attributes = test.attributes;
  for (const KernelCase::Input& input : test.inputs) {
    node.inputs.push_back(AddOperand(input, &bound));
  }
  for (const KernelCase::EpilogueOp& epilogue : test.epilogue) {
    EpilogueStep step;
    ASSIGN_OR_RETURN(step.op, FindOp("", epilogue.op));
    step.attributes = epilogue.attributes;
    step.operand_first = epilogue.operand_first;
    if (epilogue.operand.has_data()) {
      if (node.first_epilogue_input < 0) {
        node.first_epilogue_input = static_cast<int>(node.inputs.size());
      }
      step.operand = static_cast<int>(node.inputs.size());
      node.inputs.push_back(
          AddOperand({epilogue.operand, epilogue.constant, epilogue.layout}, &bound));
    }
    node.epilogue.push_back(std::move(step));
  }
  for (int i = 0; i < test.num_outputs; ++i) {
    node.outputs.push_back(bound.graph.AddValue(absl::StrCat("y", i)));
  }
  RETURN_IF_ERROR(InferOutputs(test, node, &bound));
  bound.node = bound.graph.AddNode(std::move(node));
  return bound;
}

const CpuKernelDef* FindKernel(const std::vector<CpuKernelDef>& kernels, const BoundCase& bound) {
  const Node& node = bound.graph.node(bound.node);
  const CpuKernelDef* best = nullptr;
  for (const CpuKernelDef& def : kernels) {
    if (def.op != node.op->name || def.domain != node.op->domain) continue;
    if (best != nullptr && best->rank <= def.rank) continue;
    if (def.supports(bound.graph, node)) best = &def;
  }
  return best;
}

absl::StatusOr<std::vector<Tensor>> RunKernel(const KernelCase& test, BoundCase& bound) {
  std::vector<CpuKernelDef> kernels = BuiltinCpuKernels();
  const CpuKernelDef* def = FindKernel(kernels, bound);
  if (def == nullptr) return absl::NotFoundError(absl::StrCat("no CPU kernel for ", test.op));
  const Node& node = bound.graph.node(bound.node);
  PrepareContext prepare;
  prepare.threads = test.threads;
  absl::StatusOr<std::unique_ptr<BoundKernel>> prepared = def->prepare(bound.graph, node, prepare);
  // As the provider does: the next one, when the first has nothing for these shapes.
  while (absl::IsUnimplemented(prepared.status())) {
    kernels.erase(kernels.begin() + (def - kernels.data()));
    def = FindKernel(kernels, bound);
    if (def == nullptr) break;
    prepared = def->prepare(bound.graph, node, prepare);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<BoundKernel> kernel, std::move(prepared));
  std::vector<Tensor> outputs;
  for (const ValueId id : node.outputs) {
    const Value& value = bound.graph.value(id);
    ASSIGN_OR_RETURN(Tensor output,
                     Tensor::Allocate(value.type.dtype, value.type.shape.ToShape(), value.layout));
    if (output.byte_size() > 0) std::memset(output.mutable_raw(), 0xA5, output.byte_size());
    outputs.push_back(std::move(output));
  }
  if (test.in_place_input >= 0) {
    outputs[0].Rebind(bound.inputs[test.in_place_input].mutable_raw());
  }
  std::vector<const Tensor*> input_pointers;
  for (const Tensor& input : bound.inputs) {
    input_pointers.push_back(input.has_data() ? &input : nullptr);
  }
  std::vector<Tensor*> output_pointers;
  for (Tensor& output : outputs) output_pointers.push_back(&output);
  std::vector<std::byte> scratch(kernel->scratch_bytes() + 64);
  StepContext context;
  context.inputs = input_pointers;
  context.outputs = output_pointers;
  context.scratch =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
  context.threads = test.threads;
  RETURN_IF_ERROR(kernel->Run(context));
  std::vector<Tensor> results;
  for (const Tensor& output : outputs) {
    results.push_back(InLayout(output, Layout::kRowMajor).Clone().value());
  }
  return results;
}

absl::StatusOr<std::vector<Tensor>> RunPortable(const OpDef& op, const Attributes& attributes,
                                                const std::vector<Tensor>& inputs, int outputs) {
  std::vector<const Tensor*> input_pointers;
  for (const Tensor& input : inputs) input_pointers.push_back(input.has_data() ? &input : nullptr);
  std::vector<Tensor> results(outputs);
  std::vector<Tensor*> result_pointers;
  for (Tensor& result : results) result_pointers.push_back(&result);
  KernelContext context(attributes, input_pointers, absl::MakeSpan(result_pointers), false,
                        Tensor::kDefaultLimitBytes);
  RETURN_IF_ERROR(op.compute(context));
  return results;
}

absl::StatusOr<std::vector<Tensor>> Expected(const KernelCase& test) {
  ASSIGN_OR_RETURN(const OpDef* op, FindOp(test.domain, test.op));
  std::vector<Tensor> inputs;
  for (const KernelCase::Input& input : test.inputs) inputs.push_back(input.tensor);
  ASSIGN_OR_RETURN(std::vector<Tensor> results,
                   RunPortable(*op, test.attributes, inputs, test.num_outputs));
  for (const KernelCase::EpilogueOp& epilogue : test.epilogue) {
    ASSIGN_OR_RETURN(op, FindOp("", epilogue.op));
    std::vector<Tensor> operands = {results[0]};
    if (epilogue.operand.has_data()) {
      operands.insert(epilogue.operand_first ? operands.begin() : operands.end(), epilogue.operand);
    }
    ASSIGN_OR_RETURN(std::vector<Tensor> next, RunPortable(*op, epilogue.attributes, operands, 1));
    results[0] = std::move(next[0]);
  }
  return results;
}

void ExpectFloatsAgree(const Tensor& expected, const Tensor& actual, double rtol, double atol) {
  int wrong = 0;
  for (int64_t i = 0; i < expected.num_elements() && wrong < 5; ++i) {
    const double e = expected.data<float>()[i];
    const double a = actual.data<float>()[i];
    const bool same = std::isnan(e)   ? std::isnan(a)
                      : std::isinf(e) ? e == a
                                      : std::abs(e - a) <= rtol * std::abs(e) + atol;
    if (!same) {
      ++wrong;
      ADD_FAILURE() << "element " << i << " of " << expected.TypeString() << ": expected " << e
                    << ", got " << a;
    }
  }
}

}  // namespace

bool HasKernel(const KernelCase& test) {
  const absl::StatusOr<BoundCase> bound = Bind(test);
  return bound.ok() && FindKernel(BuiltinCpuKernels(), *bound) != nullptr;
}

absl::StatusOr<KernelOutcome> RunCase(const KernelCase& test) {
  KernelOutcome outcome;
  ASSIGN_OR_RETURN(BoundCase bound, Bind(test));
  ASSIGN_OR_RETURN(outcome.actual, RunKernel(test, bound));
  ASSIGN_OR_RETURN(outcome.expected, Expected(test));
  return outcome;
}

void ExpectAgrees(const KernelCase& test, double rtol, double atol) {
  std::string trace = test.op;
  for (const KernelCase::Input& input : test.inputs) {
    absl::StrAppend(&trace, " ", input.tensor.has_data() ? input.tensor.TypeString() : "-",
                    input.layout == Layout::kChannelsLast ? " channels-last" : "");
  }
  SCOPED_TRACE(trace);
  const absl::StatusOr<KernelOutcome> outcome = RunCase(test);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (size_t i = 0; i < outcome->expected.size(); ++i) {
    const Tensor& expected = outcome->expected[i];
    const Tensor& actual = outcome->actual[i];
    ASSERT_EQ(expected.TypeString(), actual.TypeString());
    if (expected.dtype() == DType::kFloat32) {
      ExpectFloatsAgree(expected, actual, rtol, atol);
    } else if (expected.byte_size() > 0) {
      EXPECT_EQ(std::memcmp(expected.raw(), actual.raw(), expected.byte_size()), 0);
    }
  }
}

Tensor RandomFloats(const Shape& shape, float low, float high, uint32_t seed) {
  Tensor tensor = Tensor::Allocate(DType::kFloat32, shape).value();
  std::mt19937 random(seed);
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const float unit = static_cast<float>(random() >> 8) * (1.0f / 16777216.0f);
    tensor.mutable_data<float>()[i] = low + (high - low) * unit;
  }
  return tensor;
}

Tensor RandomInt64s(const Shape& shape, int64_t low, int64_t high, uint32_t seed) {
  Tensor tensor = Tensor::Allocate(DType::kInt64, shape).value();
  std::mt19937 random(seed);
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    tensor.mutable_data<int64_t>()[i] = low + static_cast<int64_t>(random() % (high - low));
  }
  return tensor;
}

Tensor InLayout(const Tensor& tensor, Layout layout) {
  if (tensor.layout() == layout || tensor.rank() < 3) return tensor.Clone().value();
  Tensor result = Tensor::Allocate(tensor.dtype(), tensor.shape(), layout).value();
  const Shape& shape = tensor.shape();
  const Shape::Dims from = DenseStrides(shape, tensor.layout());
  const Shape::Dims to = DenseStrides(shape, layout);
  const int64_t bytes = ElementBytes(tensor.dtype());
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    int64_t rest = i;
    int64_t source = 0;
    int64_t target = 0;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      source += rest % shape[axis] * from[axis];
      target += rest % shape[axis] * to[axis];
      rest /= shape[axis];
    }
    std::memcpy(static_cast<char*>(result.mutable_raw()) + target * bytes,
                static_cast<const char*>(tensor.raw()) + source * bytes, bytes);
  }
  return result;
}

KernelCase::Input Activation(Tensor tensor, Layout layout) {
  return {std::move(tensor), false, layout};
}

KernelCase::Input Constant(Tensor tensor) { return {std::move(tensor), true, Layout::kRowMajor}; }

}  // namespace inferd::cpu
