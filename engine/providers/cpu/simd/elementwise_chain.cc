#include "engine/providers/cpu/simd/elementwise_chain.h"

#include <algorithm>
#include <array>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/parallel.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kPiece = 8192;          // elements of a piece: two of them fit the first cache
constexpr int64_t kWidenedPiece = 2048;   // the same with a copy as floats of each operand
constexpr int64_t kMinPerThread = 32768;  // elements worth waking a thread for

// Where the array would start whose elements from `begin` on are `piece`: steps count from there.
void* StartOf(float* piece, int64_t begin) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(piece) -
                                 static_cast<uintptr_t>(begin) * sizeof(float));
}

StepRequest NodeRequest(const Graph& graph, const Node& node) {
  return {graph, *node.op, node.attributes,
          std::vector<ValueId>(node.inputs.begin(), node.inputs.begin() + node.num_op_inputs()),
          node.outputs[0]};
}

StepRequest EpilogueRequest(const Graph& graph, const Node& node, const EpilogueStep& step) {
  StepRequest request{graph, *step.op, step.attributes, {node.outputs[0]}, node.outputs[0]};
  if (step.operand >= 0) {
    request.operands.insert(step.operand_first ? request.operands.begin() : request.operands.end(),
                            node.inputs[step.operand]);
  }
  return request;
}

}  // namespace

bool ElementwiseChain::SupportsEpilogue(const Graph& graph, const Node& node, size_t skip,
                                        size_t end) {
  for (size_t i = skip; i < std::min(end, node.epilogue.size()); ++i) {
    if (!SupportsStep(EpilogueRequest(graph, node, node.epilogue[i]))) return false;
  }
  return true;
}

bool ElementwiseChain::SupportsNode(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return false;
  const StepRequest request = NodeRequest(graph, node);
  return request.operands.size() <= kMaxOperands && SupportsStep(request) &&
         SupportsEpilogue(graph, node);
}

absl::StatusOr<ElementwiseChain> ElementwiseChain::Epilogue(const Graph& graph, const Node& node,
                                                            size_t skip, size_t end) {
  ElementwiseChain chain;
  RETURN_IF_ERROR(chain.AddEpilogue(graph, node, skip, end));
  return chain;
}

absl::StatusOr<ElementwiseChain> ElementwiseChain::OfNode(const Graph& graph, const Node& node) {
  ElementwiseChain chain;
  const StepRequest request = NodeRequest(graph, node);
  std::vector<int> operands;
  for (size_t i = 0; i < request.operands.size(); ++i) {
    operands.push_back(request.operands[i] == kNoValue ? kAbsent : static_cast<int>(i));
  }
  RETURN_IF_ERROR(chain.AddStep(request, std::move(operands)));
  RETURN_IF_ERROR(chain.AddEpilogue(graph, node, 0, kAllSteps));
  return chain;
}

absl::Status ElementwiseChain::AddEpilogue(const Graph& graph, const Node& node, size_t skip,
                                           size_t end) {
  for (size_t i = skip; i < std::min(end, node.epilogue.size()); ++i) {
    const EpilogueStep& epilogue = node.epilogue[i];
    std::vector<int> operands = {kOutput};
    if (epilogue.operand >= 0) {
      operands.insert(epilogue.operand_first ? operands.begin() : operands.end(), epilogue.operand);
    }
    RETURN_IF_ERROR(AddStep(EpilogueRequest(graph, node, epilogue), std::move(operands)));
  }
  return absl::OkStatus();
}

absl::Status ElementwiseChain::AddStep(const StepRequest& request, std::vector<int> operands) {
  Step step;
  ASSIGN_OR_RETURN(step.kernel, MakeStep(request));
  const bool floats = step.kernel->takes_floats();
  for (size_t i = 0; i < operands.size(); ++i) {
    step.widened.push_back(floats && operands[i] >= 0 &&
                           OperandType(request, i) == DType::kBfloat16 && LiesAsOutput(request, i));
    widens_ = widens_ || step.widened.back();
  }
  narrow_output_ = OutputType(request) == DType::kBfloat16;
  widens_ = widens_ || (floats && narrow_output_);
  step.operands = std::move(operands);
  steps_.push_back(std::move(step));
  return absl::OkStatus();
}

void ElementwiseChain::ApplyPiece(const StepContext& context, int64_t begin, int64_t end) const {
  void* output = context.outputs[0]->mutable_raw();
  std::array<const void*, kMaxOperands> operands;
  for (const Step& step : steps_) {
    for (size_t i = 0; i < step.operands.size(); ++i) {
      const int index = step.operands[i];
      operands[i] = index == kOutput   ? output
                    : index == kAbsent ? nullptr
                                       : context.inputs[index]->raw();
    }
    step.kernel->Run(absl::MakeConstSpan(operands.data(), step.operands.size()), output, begin,
                     end);
  }
}

// Through pieces of floats on the stack: `floats` holds what the output will be while that is
// bfloat16 and a step that takes floats has written last.
void ElementwiseChain::ApplyWidened(const StepContext& context, const float* sums, int64_t begin,
                                    int64_t end) const {
  alignas(64) float floats[kWidenedPiece];
  alignas(64) float buffers[kMaxOperands][kWidenedPiece];
  const int64_t count = end - begin;
  void* output = context.outputs[0]->mutable_raw();
  auto* narrow = static_cast<Bfloat16*>(output) + begin;
  bool current = sums != nullptr;  // `floats` is newer than the output
  if (current) std::copy_n(sums, count, floats);
  std::array<const void*, kMaxOperands> operands;
  for (const Step& step : steps_) {
    const bool in_floats = narrow_output_ && step.kernel->takes_floats();
    if (!in_floats && current) RoundToBfloat16(floats, narrow, count);
    for (size_t i = 0; i < step.operands.size(); ++i) {
      const int index = step.operands[i];
      if (index == kOutput) {
        if (in_floats && !current) WidenBfloat16(narrow, floats, count);
        operands[i] = in_floats ? StartOf(floats, begin) : output;
      } else if (index == kAbsent) {
        operands[i] = nullptr;
      } else if (step.widened[i]) {
        WidenBfloat16(context.inputs[index]->data<Bfloat16>() + begin, buffers[i], count);
        operands[i] = StartOf(buffers[i], begin);
      } else {
        operands[i] = context.inputs[index]->raw();
      }
    }
    step.kernel->Run(absl::MakeConstSpan(operands.data(), step.operands.size()),
                     in_floats ? StartOf(floats, begin) : output, begin, end);
    current = in_floats;
  }
  if (current) RoundToBfloat16(floats, narrow, count);
}

void ElementwiseChain::Apply(const StepContext& context, int64_t begin, int64_t end) const {
  for (; widens_ && begin < end; begin += kWidenedPiece) {
    ApplyWidened(context, nullptr, begin, std::min(end, begin + kWidenedPiece));
  }
  if (steps_.size() <= 1) {
    if (!steps_.empty() && begin < end) ApplyPiece(context, begin, end);
    return;
  }
  for (; begin < end; begin += kPiece) {
    ApplyPiece(context, begin, std::min(end, begin + kPiece));
  }
}

void ElementwiseChain::ApplyToSums(const StepContext& context, const float* sums, int64_t begin,
                                   int64_t end) const {
  for (; begin < end; begin += kWidenedPiece, sums += kWidenedPiece) {
    ApplyWidened(context, sums, begin, std::min(end, begin + kWidenedPiece));
  }
}

void ElementwiseChain::ApplyToFloats(float* values, int64_t count) const {
  const void* operand = values;
  for (const Step& step : steps_) {
    step.kernel->Run(absl::MakeConstSpan(&operand, 1), values, 0, count);
  }
}

void ElementwiseChain::ApplyAll(const StepContext& context) const {
  if (steps_.empty()) return;
  ParallelRanges(context.threads, context.outputs[0]->num_elements(), kMinPerThread, 16,
                 [&](int64_t begin, int64_t end) { Apply(context, begin, end); });
}

}  // namespace inferd::cpu
