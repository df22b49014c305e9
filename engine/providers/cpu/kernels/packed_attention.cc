#include <algorithm>
#include <cstring>

#include "engine/ops/packed_sequences.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/attention_f32.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// Attention over sequences that lie one behind the other, each on its own.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  if (!MapsFloats(graph, node)) return false;
  for (const int i : {1, 2}) {
    if (InputDType(graph, node, i) != InputDType(graph, node, 0)) return false;
  }
  if (HasOperand(node, 3) && InputDType(graph, node, 3) != DType::kFloat32) return false;
  return node.epilogue.empty();
}

// The attention of the tokens [begin, end) to one another.
StridedAttention OfSequence(StridedAttention attention, int64_t begin, int64_t end) {
  attention.queries = attention.keys = end - begin;
  for (HeadLayout* layout : {&attention.q, &attention.k, &attention.v, &attention.y}) {
    layout->offset += begin * layout->row;
  }
  return attention;
}

void RunSequence(const StridedAttention& whole, AttentionOperands operands, int64_t begin,
                 int64_t end, float* scratch) {
  const StridedAttention attention = OfSequence(whole, begin, end);
  if (operands.bias != nullptr) operands.bias += begin;
  if (operands.mask != nullptr) operands.mask += begin;
  AttentionF32(attention, operands, 0, AttentionTiles(attention, operands.narrow_inputs), scratch);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(node.attributes));
  const bool narrow_inputs = InputDType(graph, node, 0) == DType::kBfloat16;
  const int64_t scratch_floats = AttentionScratchFloats(attention, narrow_inputs);
  const bool narrow_output = OutputDType(graph, node) == DType::kBfloat16;
  const auto run = [=](const StepContext& step) -> absl::Status {
    const auto offsets = step.inputs[5]->values<int64_t>();
    RETURN_IF_ERROR(CheckSequenceOffsets(offsets, attention.queries));
    const auto operand = [&](size_t i) {
      return step.inputs[i] == nullptr ? nullptr : step.inputs[i]->raw();
    };
    Tensor& y = *step.outputs[0];
    const AttentionOperands operands{.q = operand(0),
                                     .k = operand(1),
                                     .v = operand(2),
                                     .bias = static_cast<const float*>(operand(3)),
                                     .mask = static_cast<const bool*>(operand(4)),
                                     .y = y.mutable_raw(),
                                     .narrow_inputs = narrow_inputs,
                                     .narrow_output = narrow_output};
    float* scratch = static_cast<float*>(step.scratch);
    ParallelParts(step.threads, static_cast<int64_t>(offsets.size()) - 1, 1, 1,
                  [&](int part, int64_t first, int64_t last) {
                    for (int64_t s = first; s < last; ++s) {
                      if (offsets[s] == offsets[s + 1]) continue;
                      RunSequence(attention, operands, offsets[s], offsets[s + 1],
                                  scratch + part * scratch_floats);
                    }
                  });
    const int64_t used = offsets.back() * attention.y.row * ElementBytes(y.dtype());
    std::memset(static_cast<char*>(y.mutable_raw()) + used, 0, y.byte_size() - used);
    return absl::OkStatus();
  };
  return MakeStepKernel(
      graph, node, "simd:attention", run,
      scratch_floats * static_cast<int64_t>(sizeof(float)) * std::max(1, context.threads));
}

constexpr CpuKernelDef kKernels[] = {
    {"inferd", "PackedAttention", Supports, RowMajorOnly, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> PackedAttentionKernels() { return kKernels; }

}  // namespace inferd::cpu
