#include "engine/providers/cpu/simd/elementwise_chain.h"

#include <algorithm>
#include <array>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/simd/parallel.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kPiece = 8192;          // elements of a piece: two of them fit the first cache
constexpr int64_t kMinPerThread = 32768;  // elements worth waking a thread for

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

bool ElementwiseChain::SupportsEpilogue(const Graph& graph, const Node& node) {
  if (node.epilogue.empty()) return true;
  return std::all_of(node.epilogue.begin(), node.epilogue.end(), [&](const EpilogueStep& step) {
    return SupportsStep(EpilogueRequest(graph, node, step));
  });
}

bool ElementwiseChain::SupportsNode(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return false;
  const StepRequest request = NodeRequest(graph, node);
  return request.operands.size() <= kMaxOperands && SupportsStep(request) &&
         SupportsEpilogue(graph, node);
}

absl::StatusOr<ElementwiseChain> ElementwiseChain::Epilogue(const Graph& graph, const Node& node,
                                                            size_t skip) {
  ElementwiseChain chain;
  RETURN_IF_ERROR(chain.AddEpilogue(graph, node, skip));
  return chain;
}

absl::StatusOr<ElementwiseChain> ElementwiseChain::OfNode(const Graph& graph, const Node& node) {
  ElementwiseChain chain;
  const StepRequest request = NodeRequest(graph, node);
  Step step;
  for (size_t i = 0; i < request.operands.size(); ++i) {
    step.operands.push_back(request.operands[i] == kNoValue ? kAbsent : static_cast<int>(i));
  }
  ASSIGN_OR_RETURN(step.kernel, MakeStep(request));
  chain.steps_.push_back(std::move(step));
  RETURN_IF_ERROR(chain.AddEpilogue(graph, node, 0));
  return chain;
}

absl::Status ElementwiseChain::AddEpilogue(const Graph& graph, const Node& node, size_t skip) {
  for (size_t i = skip; i < node.epilogue.size(); ++i) {
    const EpilogueStep& epilogue = node.epilogue[i];
    Step step;
    step.operands.push_back(kOutput);
    if (epilogue.operand >= 0) {
      step.operands.insert(epilogue.operand_first ? step.operands.begin() : step.operands.end(),
                           epilogue.operand);
    }
    ASSIGN_OR_RETURN(step.kernel, MakeStep(EpilogueRequest(graph, node, epilogue)));
    steps_.push_back(std::move(step));
  }
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

void ElementwiseChain::Apply(const StepContext& context, int64_t begin, int64_t end) const {
  if (steps_.size() <= 1) {
    if (!steps_.empty() && begin < end) ApplyPiece(context, begin, end);
    return;
  }
  for (; begin < end; begin += kPiece) {
    ApplyPiece(context, begin, std::min(end, begin + kPiece));
  }
}

void ElementwiseChain::ApplyAll(const StepContext& context) const {
  if (steps_.empty()) return;
  ParallelRanges(context.threads, context.outputs[0]->num_elements(), kMinPerThread, 16,
                 [&](int64_t begin, int64_t end) { Apply(context, begin, end); });
}

}  // namespace inferd::cpu
