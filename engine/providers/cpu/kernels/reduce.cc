#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/reduction.h"
#include "engine/providers/cpu/simd/step_kernel.h"
#include "engine/providers/cpu/simd/unary_f32.h"

// Reductions of floats over constant axes that are neighbours in memory, and global pools.
namespace inferd::cpu {
namespace {

struct NamedReduction {
  absl::string_view name;
  ReduceF32 op;
  bool mean = false;
  UnaryF32 then = UnaryF32::kCopy;
};

constexpr NamedReduction kReductions[] = {
    {"ReduceSum", ReduceF32::kSum},
    {"ReduceMean", ReduceF32::kSum, true},
    {"ReduceMax", ReduceF32::kMax},
    {"ReduceMin", ReduceF32::kMin},
    {"ReduceSumSquare", ReduceF32::kSumSquare},
    {"ReduceL1", ReduceF32::kSumAbs},
    {"ReduceL2", ReduceF32::kSumSquare, false, UnaryF32::kSqrt},
    {"GlobalAveragePool", ReduceF32::kSum, true},
    {"GlobalMaxPool", ReduceF32::kMax},
};

const NamedReduction* Find(const Node& node) {
  for (const NamedReduction& reduction : kReductions) {
    if (reduction.name == node.op->name) return &reduction;
  }
  return nullptr;
}

bool IsPool(const Node& node) { return node.op->name[0] == 'G'; }

// The axes a node of known rank reduces; nullopt when they are not known.
std::optional<std::vector<int>> Axes(const Graph& graph, const Node& node) {
  const int rank = InputValue(graph, node, 0).type.shape.rank();
  std::vector<int> all(rank);
  std::iota(all.begin(), all.end(), 0);
  if (IsPool(node)) {
    if (rank < 3) return std::nullopt;
    return std::vector<int>(all.begin() + 2, all.end());
  }
  std::vector<int64_t> given;
  if (HasOperand(node, 1)) {
    const Tensor* constant = ConstantOperand(graph, node, 1);
    if (constant == nullptr) return std::nullopt;
    auto values = constant->ToInt64s();
    if (!values.ok()) return std::nullopt;
    given = *std::move(values);
  }
  if (given.empty()) {
    if (node.attributes.Int("noop_with_empty_axes", 0) != 0) return std::nullopt;
    return all;
  }
  auto axes = NormalizeAxes(given, rank);
  if (!axes.ok()) return std::nullopt;
  return *std::move(axes);
}

bool KeepsDims(const Node& node) { return IsPool(node) || node.attributes.Int("keepdims", 1) != 0; }

// Whether the reduced axes stay neighbours whatever the other dimensions' sizes are.
bool AreNeighbours(std::vector<int> axes, int rank, Layout layout) {
  if (layout == Layout::kChannelsLast && rank >= 3) {
    for (int& axis : axes) axis = axis == 1 ? rank - 1 : axis > 1 ? axis - 1 : axis;
  }
  std::sort(axes.begin(), axes.end());
  return axes.back() - axes.front() + 1 == static_cast<int>(axes.size());
}

bool Supports(const Graph& graph, const Node& node) {
  if (!MapsFloats(graph, node) || !HasKnownRank(graph, node, 0)) return false;
  const auto axes = Axes(graph, node);
  if (!axes || !ElementwiseChain::SupportsEpilogue(graph, node)) return false;
  const SymbolicShape& shape = InputValue(graph, node, 0).type.shape;
  for (const int axis : *axes) {
    if (shape.dim(axis).Is(0)) return false;
  }
  return AreNeighbours(*axes, shape.rank(), Layout::kRowMajor);
}

LayoutPreference Layouts(const Graph& graph, const Node& node) {
  const auto axes = Axes(graph, node);
  const int rank = InputValue(graph, node, 0).type.shape.rank();
  const bool any =
      KeepsDims(node) && rank >= 3 && AreNeighbours(*axes, rank, Layout::kChannelsLast);
  return any ? LayoutPreference::kAny : LayoutPreference::kRowMajor;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const auto axes = Axes(graph, node);
  const auto plan = Reduction::Plan(BoundShape(input), input.layout, *axes);
  if (!plan || plan->size() == 0) {
    return absl::InternalError(absl::StrCat(node.op->name, " has axes apart in memory"));
  }
  const NamedReduction reduction = *Find(node);
  const float factor = reduction.mean ? 1.0f / static_cast<float>(plan->size()) : 1.0f;
  const bool narrow_input = input.type.dtype == DType::kBfloat16;
  const bool narrow_output = OutputDType(graph, node) == DType::kBfloat16;
  const int64_t result_bytes = narrow_output ? plan->results() * int64_t{sizeof(float)} : 0;
  const auto run = [=, plan = *plan](const StepContext& step) {
    float* results = static_cast<float*>(step.scratch);
    void* scratch = results + (narrow_output ? plan.results() : 0);
    float* y = narrow_output ? results : step.outputs[0]->mutable_data<float>();
    if (narrow_input) {
      plan.Run(reduction.op, factor, step.inputs[0]->data<Bfloat16>(), y, scratch, step.threads);
    } else {
      plan.Run(reduction.op, factor, step.inputs[0]->data<float>(), y, scratch, step.threads);
    }
    if (reduction.then != UnaryF32::kCopy) {
      RunUnaryF32(reduction.then, 0.0f, 0.0f, y, y, plan.results());
    }
    if (narrow_output) {
      RoundToBfloat16(y, step.outputs[0]->mutable_data<Bfloat16>(), plan.results());
    }
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "simd:reduce", run, plan->scratch_bytes() + result_bytes);
}

constexpr CpuKernelDef Def(absl::string_view op) { return {"", op, Supports, Layouts, Prepare}; }

constexpr CpuKernelDef kKernels[] = {
    Def("ReduceSum"), Def("ReduceMean"),        Def("ReduceMax"),
    Def("ReduceMin"), Def("ReduceSumSquare"),   Def("ReduceL1"),
    Def("ReduceL2"),  Def("GlobalAveragePool"), Def("GlobalMaxPool"),
};

}  // namespace

absl::Span<const CpuKernelDef> ReduceKernels() { return kKernels; }

}  // namespace inferd::cpu
