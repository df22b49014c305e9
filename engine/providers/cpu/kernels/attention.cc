#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/attention_f32.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// Attention over floats, or over Q, K and V in bfloat16.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  if (!MapsFloats(graph, node)) return false;
  for (const int i : {1, 2}) {
    if (InputDType(graph, node, i) != InputDType(graph, node, 0)) return false;
  }
  if (HasOperand(node, 3) && InputDType(graph, node, 3) != DType::kFloat32) return false;
  return ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(node.attributes));
  const bool narrow_inputs = InputDType(graph, node, 0) == DType::kBfloat16;
  const int64_t tiles = AttentionTiles(attention, narrow_inputs);
  const int64_t scratch_floats = AttentionScratchFloats(attention, narrow_inputs);
  const bool narrow_output = OutputDType(graph, node) == DType::kBfloat16;
  // What follows those of the operator is the epilogue's.
  const int op_inputs = node.num_op_inputs();
  const auto run = [=](const StepContext& step) {
    const auto operand = [&](int i) {
      const bool given = i < op_inputs && step.inputs[i] != nullptr;
      return given ? step.inputs[i]->raw() : nullptr;
    };
    const AttentionOperands operands{.q = operand(0),
                                     .k = operand(1),
                                     .v = operand(2),
                                     .bias = static_cast<const float*>(operand(3)),
                                     .mask = static_cast<const bool*>(operand(4)),
                                     .y = step.outputs[0]->mutable_raw(),
                                     .narrow_inputs = narrow_inputs,
                                     .narrow_output = narrow_output};
    float* scratch = static_cast<float*>(step.scratch);
    ParallelParts(step.threads, tiles, 1, 1, [&](int part, int64_t begin, int64_t end) {
      AttentionF32(attention, operands, begin, end, scratch + part * scratch_floats);
    });
    return absl::OkStatus();
  };
  return MakeStepKernel(
      graph, node, "simd:attention", run,
      scratch_floats * static_cast<int64_t>(sizeof(float)) * std::max(1, context.threads));
}

constexpr CpuKernelDef kKernels[] = {{"inferd", "Attention", Supports, RowMajorOnly, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> AttentionKernels() { return kKernels; }

}  // namespace inferd::cpu
