#include "engine/plan/lazy_kernel.h"

#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/shape_inference.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

// From this many elements on, inputs with the constants, a portable kernel is likely to take longer
// than preparing a better one.
constexpr int64_t kWorthPreparing = 1 << 14;

Graph NodeAlone(const Graph& graph, const Node& node) {
  Graph alone;
  Node copy = node;
  copy.device_provider = -1;  // dynamic tensors are the host's
  for (ValueId& input : copy.inputs) {
    if (input == kNoValue) continue;
    const Value& value = graph.value(input);
    input = value.constant ? alone.AddConstant(value.name, value.constant->Kept())
                           : alone.AddInput(value.name, value.type);
  }
  for (ValueId& output : copy.outputs) {
    if (output == kNoValue) continue;
    output = alone.AddValue(graph.value(output).name, graph.value(output).type);
  }
  alone.AddNode(std::move(copy));
  return alone;
}

bool IsStaticTensor(const ValueType& type) {
  return type.is_tensor() && type.dtype != DType::kInvalid && type.dtype != DType::kString &&
         type.shape.IsConcrete();
}

}  // namespace

LazyKernel::LazyKernel(const Graph& graph, const Node& node, const PlanOptions& options)
    : options_(options),
      portable_(node, false, options.max_arena_bytes),
      graph_(NodeAlone(graph, node)) {}

absl::Status LazyKernel::Run(const StepContext& context) const {
  const std::shared_ptr<const Prepared> prepared = Find(context.inputs);
  return prepared == nullptr ? portable_.Run(context) : RunPrepared(*prepared, context);
}

std::shared_ptr<const LazyKernel::Prepared> LazyKernel::Find(
    absl::Span<const Tensor* const> inputs) const {
  int64_t elements = 0;
  for (const Tensor* input : inputs) {
    if (input == nullptr) continue;
    if (input->kind() != ValueKind::kTensor) return nullptr;
    elements += input->num_elements();
  }
  return cache_.FindOrMake(inputs, elements >= kWorthPreparing, [&] { return Prepare(inputs); });
}

// Errors are left to the portable kernel, which finds them again.
std::shared_ptr<const LazyKernel::Prepared> LazyKernel::Prepare(
    absl::Span<const Tensor* const> inputs) const {
  Graph bound = graph_;
  const Node& node = bound.node(0);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr || bound.constant(node.inputs[i]) != nullptr) continue;
    bound.value(node.inputs[i]).type = ValueType::OfTensor(inputs[i]->dtype(), inputs[i]->shape());
  }
  if (!InferNode(bound, 0).ok()) return nullptr;
  auto prepared = std::make_shared<Prepared>();
  for (ValueId output : node.outputs) {
    prepared->outputs.push_back(output == kNoValue ? ValueType() : bound.value(output).type);
    if (output != kNoValue && !IsStaticTensor(prepared->outputs.back())) return nullptr;
  }
  PrepareContext context;
  context.weights = options_.weights;
  context.threads = options_.threads;
  ExecutionProvider* provider = ProviderOf(options_.providers, bound, node);
  if (provider == nullptr) return nullptr;
  auto kernel = provider->Prepare(bound, node, context);
  if (!kernel.ok()) return nullptr;
  prepared->kernel = *std::move(kernel);
  return prepared;
}

absl::Status LazyKernel::RunPrepared(const Prepared& prepared, const StepContext& context) const {
  for (size_t i = 0; i < context.outputs.size(); ++i) {
    if (context.outputs[i] == nullptr) continue;
    const ValueType& type = prepared.outputs[i];
    ASSIGN_OR_RETURN(*context.outputs[i],
                     Tensor::Allocate(type.dtype, type.shape.ToShape(), Layout::kRowMajor,
                                      options_.max_arena_bytes));
  }
  StepContext step = context;
  Tensor scratch;
  if (prepared.kernel->scratch_bytes() > 0) {
    ASSIGN_OR_RETURN(scratch,
                     Tensor::Allocate(DType::kUint8, Shape({prepared.kernel->scratch_bytes()}),
                                      Layout::kRowMajor, options_.max_arena_bytes));
    step.scratch = scratch.mutable_raw();
  }
  return prepared.kernel->Run(step);
}

}  // namespace inferd
