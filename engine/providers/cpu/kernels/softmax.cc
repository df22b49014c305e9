#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/memory_order.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/rows_f32.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// Softmax and LogSoftmax over any axis.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 16384;  // elements

bool Supports(const Graph& graph, const Node& node) {
  return InputDType(graph, node, 0) == DType::kFloat32 && HasKnownRank(graph, node, 0) &&
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
  if (split.inner == 1) {
    return MakeStepKernel(graph, node, "simd:rows", [=](const StepContext& step) {
      const float* x = step.inputs[0]->data<float>();
      float* y = step.outputs[0]->mutable_data<float>();
      ParallelRanges(step.threads, block == 0 ? 0 : split.outer, min_outer, 1,
                     [&](int64_t begin, int64_t end) {
                       SoftmaxRowsF32(x + begin * block, y + begin * block, end - begin, split.size,
                                      log);
                     });
      return absl::OkStatus();
    });
  }
  const auto run = [=](const StepContext& step) {
    const float* x = step.inputs[0]->data<float>();
    float* y = step.outputs[0]->mutable_data<float>();
    float* scratch = static_cast<float*>(step.scratch);
    ParallelParts(step.threads, block == 0 ? 0 : split.outer, min_outer, 1,
                  [&](int part, int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) {
                      SoftmaxColumnsF32(x + i * block, y + i * block, split.size, split.inner, log,
                                        scratch + part * 2 * split.inner);
                    }
                  });
    return absl::OkStatus();
  };
  const int64_t scratch_floats = 2 * split.inner * std::max(1, context.threads);
  return MakeStepKernel(graph, node, "simd:columns", run, scratch_floats * sizeof(float));
}

constexpr CpuKernelDef kKernels[] = {
    {"", "Softmax", Supports, AnyLayout, Prepare},
    {"", "LogSoftmax", Supports, AnyLayout, Prepare},
};

}  // namespace

absl::Span<const CpuKernelDef> SoftmaxKernels() { return kKernels; }

}  // namespace inferd::cpu
