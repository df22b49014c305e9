#include <algorithm>
#include <optional>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/launch/rows.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

// Reductions over any axes, and the pools over a whole plane.
namespace inferd::cuda {
namespace {

struct NamedReduction {
  absl::string_view op;
  Reduction reduction;
};

constexpr NamedReduction kReductions[] = {
    {"ReduceSum", Reduction::kSum},
    {"ReduceMean", Reduction::kMean},
    {"ReduceMax", Reduction::kMax},
    {"ReduceMin", Reduction::kMin},
    {"ReduceProd", Reduction::kProd},
    {"ReduceL1", Reduction::kL1},
    {"ReduceL2", Reduction::kL2},
    {"ReduceSumSquare", Reduction::kSumSquare},
    {"ReduceLogSumExp", Reduction::kLogSumExp},
    {"GlobalAveragePool", Reduction::kMean},
    {"GlobalMaxPool", Reduction::kMax},
};

bool IsPool(const Node& node) { return node.op->name[0] == 'G'; }

// Which axes of input 0 are reduced; nullopt when that is not known.
std::optional<std::vector<bool>> ReducedAxes(const Graph& graph, const Node& node) {
  const int rank = ShapeOf(graph, node.inputs[0]).rank();
  std::vector<bool> reduced(rank, true);
  if (IsPool(node)) {
    if (rank < 3) return std::nullopt;
    reduced[0] = reduced[1] = false;
    return reduced;
  }
  std::vector<int64_t> given;
  if (HasInput(node, 1)) {
    const Tensor* constant = graph.constant(node.inputs[1]);
    if (constant == nullptr) return std::nullopt;
    auto values = constant->ToInt64s();
    if (!values.ok()) return std::nullopt;
    given = *std::move(values);
  }
  if (given.empty()) {
    if (node.attributes.Int("noop_with_empty_axes", 0) != 0) return std::nullopt;
    return reduced;
  }
  std::fill(reduced.begin(), reduced.end(), false);
  for (const int64_t axis : given) {
    const auto normalized = NormalizeAxis(axis, rank);
    if (!normalized.ok()) return std::nullopt;
    reduced[*normalized] = true;
  }
  return reduced;
}

bool Supports(const Graph& graph, const Node& node) {
  const auto fits = [&](ValueId id) {
    const ValueType& type = graph.value(id).type;
    return type.is_tensor() && IsFloatType(type.dtype) && type.shape.has_rank() &&
           type.shape.rank() <= kMaxDims;
  };
  if (!fits(node.inputs[0]) || !fits(node.outputs[0])) return false;
  const auto reduced = ReducedAxes(graph, node);
  if (!reduced || !ElementwisePlan::SupportsEpilogue(graph, node)) return false;
  // Of no elements: left to the portable kernels, which know what each operator gives.
  for (size_t d = 0; d < reduced->size(); ++d) {
    if ((*reduced)[d] && ShapeOf(graph, node.inputs[0])[static_cast<int>(d)].Is(0)) return false;
  }
  return true;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext&) {
  const Shape shape = BoundShape(graph, node.inputs[0]);
  const std::vector<bool> reduced = *ReducedAxes(graph, node);
  const Strides strides = StridesOf(graph, node.inputs[0]);
  ReduceRequest request;
  request.type = *TypeOf(graph, node.inputs[0]);
  request.reduction =
      std::find_if(std::begin(kReductions), std::end(kReductions), [&](const NamedReduction& r) {
        return r.op == node.op->name;
      })->reduction;
  for (int d = 0; d < shape.rank(); ++d) {
    Dims& dims = reduced[d] ? request.reduced : request.kept;
    Strides& own = reduced[d] ? request.reduced_strides : request.kept_strides;
    const int last = dims.rank - 1;
    // Neighbours that lie as one.
    if (last >= 0 && own.at[last] == strides.at[d] * shape[d]) {
      dims.size[last] *= shape[d];
      own.at[last] = strides.at[d];
      continue;
    }
    dims.size[dims.rank] = shape[d];
    own.at[dims.rank++] = strides.at[d];
  }
  const auto launch = [request](const StepContext& context, CudaContext& cuda) {
    ReduceRequest reduce = request;
    reduce.x = context.inputs[0]->raw();
    reduce.y = context.outputs[0]->mutable_raw();
    LaunchReduce(reduce, cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "reduce", launch);
}

constexpr CudaKernelDef Def(absl::string_view op,
                            LayoutPreference layouts = LayoutPreference::kRowMajor) {
  return {"", op, Supports, layouts, Prepare};
}

constexpr CudaKernelDef kKernels[] = {
    Def("ReduceSum"),
    Def("ReduceMean"),
    Def("ReduceMax"),
    Def("ReduceMin"),
    Def("ReduceProd"),
    Def("ReduceL1"),
    Def("ReduceL2"),
    Def("ReduceSumSquare"),
    Def("ReduceLogSumExp"),
    // One pixel a plane: both memory orders are the same on the way out.
    Def("GlobalAveragePool", LayoutPreference::kAny),
    Def("GlobalMaxPool", LayoutPreference::kAny),
};

}  // namespace

absl::Span<const CudaKernelDef> ReduceKernels() { return kKernels; }

}  // namespace inferd::cuda
