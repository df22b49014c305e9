#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/rows_f32.h"
#include "engine/providers/cpu/simd/step_kernel.h"
#include "engine/providers/cpu/simd/widened_rows.h"

// LayerNormalization without its statistics outputs, and RMSNormalization.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 16384;  // elements

// Elements of a row, or -1 when not known; `axis` counts from the front.
int64_t RowElements(const SymbolicShape& shape, int axis) {
  const Dim product = shape.Product(axis, shape.rank());
  return product.known() ? product.value : -1;
}

// A scale or bias with one value for each element of a row.
bool CoversRow(const Graph& graph, const Node& node, int input, int64_t row_elements) {
  const SymbolicShape& shape = InputValue(graph, node, input).type.shape;
  return InputDType(graph, node, input) == DType::kFloat32 && shape.IsConcrete() &&
         shape.ToShape().num_elements() == row_elements;
}

bool Supports(const Graph& graph, const Node& node) {
  if (!MapsFloats(graph, node) || !HasKnownRank(graph, node, 0) || !HasOperand(node, 1) ||
      HasOutput(node, 1) || HasOutput(node, 2)) {
    return false;
  }
  const SymbolicShape& shape = InputValue(graph, node, 0).type.shape;
  const auto axis = NormalizeAxis(node.attributes.Int("axis", -1), shape.rank());
  if (!axis.ok()) return false;
  const int64_t row = RowElements(shape, *axis);
  return row > 0 && CoversRow(graph, node, 1, row) &&
         (!HasOperand(node, 2) || CoversRow(graph, node, 2, row)) &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Shape shape = BoundShape(InputValue(graph, node, 0));
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", -1), shape.rank()));
  const int64_t rows = shape.Product(0, axis);
  const int64_t cols = shape.Product(axis, shape.rank());
  const float epsilon = node.attributes.Float("epsilon", 1e-5f);
  const bool rms = node.op->name == "RMSNormalization";
  const bool has_bias = HasOperand(node, 2);
  const WidenedRows widened(cols, InputDType(graph, node, 0), OutputDType(graph, node));
  const auto run = [=](const StepContext& step) {
    const float* scale = step.inputs[1]->data<float>();
    const float* bias = has_bias ? step.inputs[2]->data<float>() : nullptr;
    const auto normalize = [&](const float* x, float* y, int64_t count) {
      if (rms) {
        RmsNormRowsF32(x, scale, epsilon, y, count, cols);
      } else {
        LayerNormRowsF32(x, scale, bias, epsilon, y, count, cols);
      }
    };
    ParallelParts(step.threads, rows, kMinPerThread / cols + 1, 1,
                  [&](int part, int64_t begin, int64_t end) {
                    widened.Run(step, part, begin, end, normalize);
                  });
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "simd:rows", run, widened.scratch_bytes(context.threads));
}

constexpr CpuKernelDef kKernels[] = {
    {"", "LayerNormalization", Supports, RowMajorOnly, Prepare},
    {"", "RMSNormalization", Supports, RowMajorOnly, Prepare},
};

}  // namespace

absl::Span<const CpuKernelDef> LayerNormKernels() { return kKernels; }

}  // namespace inferd::cpu
