#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/memory_order.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/rows_f32.h"
#include "engine/providers/cpu/simd/step_kernel.h"
#include "engine/providers/cpu/simd/widened_rows.h"

// Softmax and LogSoftmax over any axis.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 16384;  // elements

bool Supports(const Graph& graph, const Node& node) {
  // A model that is bfloat16 itself rounds every exponent to it, which the portable kernel does.
  const bool narrow = InputDType(graph, node, 0) == DType::kBfloat16 &&
                      OutputDType(graph, node) == DType::kBfloat16;
  return !narrow && MapsFloats(graph, node) && HasKnownRank(graph, node, 0) &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Value& input = InputValue(graph, node, 0);
  const Shape shape = BoundShape(input);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", -1), shape.rank()));
  const AxisSplit split = SplitAtAxis(shape, input.layout, axis);
  const bool log = node.op->name == "LogSoftmax";
  const int64_t block = split.size * split.inner;
  const int64_t min_outer = kMinPerThread / std::max<int64_t>(1, block) + 1;
  const int64_t outer = block == 0 ? 0 : split.outer;
  const WidenedRows widened(block, InputDType(graph, node, 0), OutputDType(graph, node));
  const int64_t widened_bytes = widened.scratch_bytes(context.threads);
  if (split.inner == 1) {
    const auto run = [=](const StepContext& step) {
      ParallelParts(step.threads, outer, min_outer, 1, [&](int part, int64_t begin, int64_t end) {
        widened.Run(step, part, begin, end, [&](const float* x, float* y, int64_t rows) {
          SoftmaxRowsF32(x, y, rows, split.size, log);
        });
      });
      return absl::OkStatus();
    };
    return MakeStepKernel(graph, node, "simd:rows", run, widened_bytes);
  }
  const auto run = [=](const StepContext& step) {
    float* scratch = static_cast<float*>(step.scratch) + widened_bytes / sizeof(float);
    ParallelParts(step.threads, outer, min_outer, 1, [&](int part, int64_t begin, int64_t end) {
      widened.Run(step, part, begin, end, [&](const float* x, float* y, int64_t blocks) {
        for (int64_t i = 0; i < blocks; ++i) {
          SoftmaxColumnsF32(x + i * block, y + i * block, split.size, split.inner, log,
                            scratch + part * 2 * split.inner);
        }
      });
    });
    return absl::OkStatus();
  };
  const int64_t scratch_floats = 2 * split.inner * std::max(1, context.threads);
  return MakeStepKernel(graph, node, "simd:columns", run,
                        widened_bytes + scratch_floats * int64_t{sizeof(float)});
}

constexpr CpuKernelDef kKernels[] = {
    {"", "Softmax", Supports, AnyLayout, Prepare},
    {"", "LogSoftmax", Supports, AnyLayout, Prepare},
};

}  // namespace

absl::Span<const CpuKernelDef> SoftmaxKernels() { return kKernels; }

}  // namespace inferd::cpu
