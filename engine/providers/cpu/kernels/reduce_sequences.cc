#include <algorithm>
#include <cstring>

#include "engine/ops/packed_sequences.h"
#include "engine/ops/sequence_reduction.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/binary_f32.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// Floats of the tokens of each sequence reduced to one row, token by token as they lie.
namespace inferd::cpu {
namespace {

using Kind = SequenceReduction::Kind;

bool Supports(const Graph& graph, const Node& node) {
  return InputDType(graph, node, 0) == DType::kFloat32 && HasKnownRank(graph, node, 0) &&
         OutputDType(graph, node) == DType::kFloat32 && node.epilogue.empty();
}

BinaryF32 StepOf(Kind kind) {
  return kind == Kind::kMax   ? BinaryF32::kMax
         : kind == Kind::kMin ? BinaryF32::kMin
                              : BinaryF32::kAdd;
}

// The tokens [begin, end), at least one.
void ReduceTokens(Kind kind, const float* x, int64_t begin, int64_t end, int64_t row, float* y) {
  const int64_t start = kind == Kind::kLast ? end - 1 : begin;
  std::memcpy(y, x + start * row, row * sizeof(float));
  if (kind == Kind::kFirst || kind == Kind::kLast) return;
  for (int64_t token = begin + 1; token < end; ++token) {
    RunBinaryF32(StepOf(kind), {.cols = row}, y, x + token * row, y);
  }
  if (kind != Kind::kMean) return;
  const float count = static_cast<float>(end - begin);
  RunBinaryF32(BinaryF32::kDiv, {.cols = row, .b_col = 0}, y, &count, y);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  const Shape shape = BoundShape(InputValue(graph, node, 0));
  ASSIGN_OR_RETURN(const SequenceReduction reduction,
                   SequenceReduction::Read(node.attributes, shape.rank()));
  const int64_t tokens = shape[reduction.axis];
  const int64_t row = shape.Product(reduction.axis + 1, shape.rank());
  const auto run = [=](const StepContext& step) -> absl::Status {
    const auto offsets = step.inputs[1]->values<int64_t>();
    RETURN_IF_ERROR(CheckSequenceOffsets(offsets, tokens));
    const float* x = step.inputs[0]->data<float>();
    float* y = step.outputs[0]->mutable_data<float>();
    ParallelRanges(step.threads, static_cast<int64_t>(offsets.size()) - 1, 1, 1,
                   [&](int64_t first, int64_t last) {
                     for (int64_t s = first; s < last; ++s) {
                       if (offsets[s] == offsets[s + 1]) {
                         std::fill_n(y + s * row, row, 0.0f);
                       } else {
                         ReduceTokens(reduction.kind, x, offsets[s], offsets[s + 1], row,
                                      y + s * row);
                       }
                     }
                   });
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "simd:reduce", run);
}

constexpr CpuKernelDef kKernels[] = {
    {"inferd", "ReduceSequences", Supports, RowMajorOnly, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> ReduceSequencesKernels() { return kKernels; }

}  // namespace inferd::cpu
