#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "engine/ops/infer_context.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"

// Pad with a constant value and constant pads: the output is filled, then the input copied in.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  if (!IsPlainTensor(graph, node, 0) || !HasKnownRank(graph, node, 0) ||
      node.attributes.String("mode", "constant") != "constant" ||
      ConstantOperand(graph, node, 1) == nullptr) {
    return false;
  }
  for (const int i : {2, 3}) {
    if (HasOperand(node, i) && ConstantOperand(graph, node, i) == nullptr) return false;
  }
  return ElementwiseChain::SupportsEpilogue(graph, node);
}

// Elements added before each axis; negative ones are removed.
absl::StatusOr<std::vector<int64_t>> Before(const Graph& graph, const Node& node, int rank) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> pads, ConstantOperand(graph, node, 1)->ToInt64s());
  std::vector<int> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (HasOperand(node, 3)) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> given, ConstantOperand(graph, node, 3)->ToInt64s());
    ASSIGN_OR_RETURN(axes, NormalizeAxes(given, rank));
  }
  if (pads.size() != 2 * axes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pads has ", pads.size(), " entries for ", axes.size(), " axes"));
  }
  std::vector<int64_t> before(rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) before[axes[i]] = pads[i];
  return before;
}

// Writes `value`, which repeats every `bytes` bytes, over all of `output`.
void Fill(const std::vector<char>& value, Tensor* output) {
  const int64_t total = output->byte_size();
  char* to = static_cast<char*>(output->mutable_raw());
  const int64_t bytes = static_cast<int64_t>(value.size());
  if (std::all_of(value.begin(), value.end(), [](char c) { return c == 0; })) {
    if (total > 0) std::memset(to, 0, total);
    return;
  }
  for (int64_t at = 0; at < total; at += bytes) std::memcpy(to + at, value.data(), bytes);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Value& output = OutputValue(graph, node);
  const Shape from = BoundShape(input);
  const Shape to = BoundShape(output);
  const Shape::Dims source = BoundStrides(input);
  const Shape::Dims target = BoundStrides(output);
  ASSIGN_OR_RETURN(const std::vector<int64_t> before, Before(graph, node, from.rank()));
  Shape kept;
  int64_t source_offset = 0;
  int64_t target_offset = 0;
  for (int i = 0; i < from.rank(); ++i) {
    const int64_t first = std::max<int64_t>(0, before[i]);  // in the output
    const int64_t last = std::min(to[i], from[i] + before[i]);
    kept.push_back(std::max<int64_t>(0, last - first));
    source_offset += (first - before[i]) * source[i];
    target_offset += first * target[i];
  }
  const int64_t bytes = ElementBytes(input.type.dtype);
  std::vector<char> value(bytes, 0);
  if (const Tensor* fill = ConstantOperand(graph, node, 2); fill != nullptr) {
    if (fill->num_elements() != 1 || fill->dtype() != input.type.dtype) {
      return absl::InvalidArgumentError(absl::StrCat("constant_value is ", fill->TypeString(),
                                                     ", expected one ",
                                                     DTypeName(input.type.dtype)));
    }
    std::memcpy(value.data(), fill->raw(), bytes);
  }
  CopyPlan plan(kept, source, source_offset, target, target_offset, bytes);
  return MakeStepKernel(graph, node, absl::StrCat("fill,", plan.description()),
                        [plan = std::move(plan), value](const StepContext& step) {
                          Fill(value, step.outputs[0]);
                          plan.Run(step.inputs[0]->raw(), step.outputs[0]->mutable_raw(),
                                   step.threads);
                          return absl::OkStatus();
                        });
}

constexpr CpuKernelDef kKernels[] = {{"", "Pad", Supports, AnyLayout, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> PadKernels() { return kKernels; }

}  // namespace inferd::cpu
