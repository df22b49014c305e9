#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/strided_move.h"

// Operators that only move elements.
namespace inferd::cuda {
namespace {

using Kernel = absl::StatusOr<std::unique_ptr<BoundKernel>>;

Dims DimsOf(const Shape& shape) {
  Dims dims;
  dims.rank = shape.rank();
  for (int d = 0; d < shape.rank(); ++d) dims.size[d] = shape[d];
  return dims;
}

bool SupportsMove(const Graph& graph, const Node& node) { return CanMove(graph, node); }

// The same logical tensor in another memory order.
Kernel PrepareReorder(const Graph& graph, const Node& node, const CudaPrepareContext&) {
  StridedMove move;
  move.copy.dims = DimsOf(BoundShape(graph, node.outputs[0]));
  move.copy.from_strides = StridesOf(graph, node.inputs[0]);
  move.copy.to_strides = StridesOf(graph, node.outputs[0]);
  return MakeMoveKernel(graph, node, {move});
}

Kernel PrepareTranspose(const Graph& graph, const Node& node, const CudaPrepareContext&) {
  const Shape shape = BoundShape(graph, node.outputs[0]);
  std::vector<int64_t> perm = node.attributes.Ints("perm");
  for (int d = shape.rank() - 1; node.attributes.Ints("perm").empty() && d >= 0; --d) {
    perm.push_back(d);
  }
  const Strides from = StridesOf(graph, node.inputs[0]);
  StridedMove move;
  move.copy.dims = DimsOf(shape);
  move.copy.to_strides = StridesOf(graph, node.outputs[0]);
  for (int d = 0; d < shape.rank(); ++d) move.copy.from_strides.at[d] = from.at[perm[d]];
  return MakeMoveKernel(graph, node, {move});
}

Kernel PrepareExpand(const Graph& graph, const Node& node, const CudaPrepareContext&) {
  const Shape shape = BoundShape(graph, node.outputs[0]);
  const Shape from = BoundShape(graph, node.inputs[0]);
  const Strides own = StridesOf(graph, node.inputs[0]);
  StridedMove move;
  move.copy.dims = DimsOf(shape);
  move.copy.to_strides = StridesOf(graph, node.outputs[0]);
  const int missing = shape.rank() - from.rank();
  for (int d = 0; d < from.rank(); ++d) {
    move.copy.from_strides.at[d + missing] = from[d] == 1 ? 0 : own.at[d];
  }
  return MakeMoveKernel(graph, node, {move});
}

bool SupportsConcat(const Graph& graph, const Node& node) { return CanMove(graph, node, true); }

Kernel PrepareConcat(const Graph& graph, const Node& node, const CudaPrepareContext&) {
  const Shape output = BoundShape(graph, node.outputs[0]);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 0), output.rank()));
  const Strides to = StridesOf(graph, node.outputs[0]);
  std::vector<StridedMove> moves;
  int64_t at = 0;
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    const Shape shape = BoundShape(graph, node.inputs[i]);
    StridedMove move;
    move.input = i;
    move.copy.dims = DimsOf(shape);
    move.copy.from_strides = StridesOf(graph, node.inputs[i]);
    move.copy.to_strides = to;
    move.copy.to_at = at * to.at[axis];
    at += shape[axis];
    moves.push_back(move);
  }
  return MakeMoveKernel(graph, node, std::move(moves));
}

Kernel PrepareSplit(const Graph& graph, const Node& node, const CudaPrepareContext&) {
  const Shape input = BoundShape(graph, node.inputs[0]);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 0), input.rank()));
  const Strides from = StridesOf(graph, node.inputs[0]);
  std::vector<StridedMove> moves;
  int64_t at = 0;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Shape shape = BoundShape(graph, node.outputs[i]);
    StridedMove move;
    move.output = static_cast<int>(i);
    move.copy.dims = DimsOf(shape);
    move.copy.from_strides = from;
    move.copy.to_strides = StridesOf(graph, node.outputs[i]);
    move.copy.from_at = at * from.at[axis];
    at += shape[axis];
    moves.push_back(move);
  }
  return MakeMoveKernel(graph, node, std::move(moves));
}

// Outputs that nobody wants have no size to go on from.
bool SupportsSplit(const Graph& graph, const Node& node) {
  return CanMove(graph, node) &&
         std::find(node.outputs.begin(), node.outputs.end(), kNoValue) == node.outputs.end();
}

// The integers of a constant input; empty when it is absent, nullopt when it is not constant.
std::optional<std::vector<int64_t>> Constants(const Graph& graph, const Node& node, int i) {
  if (!HasInput(node, i)) return std::vector<int64_t>();
  const Tensor* constant = graph.constant(node.inputs[i]);
  if (constant == nullptr) return std::nullopt;
  auto values = constant->ToInt64s();
  if (!values.ok()) return std::nullopt;
  return *std::move(values);
}

// What a Slice begins at and how far apart its elements are, by axis.
struct Slicing {
  std::vector<int64_t> starts;
  std::vector<int64_t> steps;
};

std::optional<Slicing> SlicingOf(const Graph& graph, const Node& node) {
  const int rank = ShapeOf(graph, node.inputs[0]).rank();
  const auto starts = Constants(graph, node, 1);
  auto axes = Constants(graph, node, 3);
  const auto steps = Constants(graph, node, 4);
  if (!starts || !axes || !steps) return std::nullopt;
  if (!HasInput(node, 3)) {
    for (size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<int64_t>(i));
  }
  if (axes->size() != starts->size() || (!steps->empty() && steps->size() != starts->size())) {
    return std::nullopt;
  }
  Slicing slicing = {std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 1)};
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = NormalizeAxis((*axes)[i], rank);
    if (!axis.ok()) return std::nullopt;
    slicing.starts[*axis] = (*starts)[i];
    slicing.steps[*axis] = steps->empty() ? 1 : (*steps)[i];
    if (slicing.steps[*axis] == 0) return std::nullopt;
  }
  return slicing;
}

bool SupportsSlice(const Graph& graph, const Node& node) {
  return CanMove(graph, node) && SlicingOf(graph, node).has_value();
}

Kernel PrepareSlice(const Graph& graph, const Node& node, const CudaPrepareContext&) {
  const Slicing slicing = *SlicingOf(graph, node);
  const Shape input = BoundShape(graph, node.inputs[0]);
  const Shape output = BoundShape(graph, node.outputs[0]);
  const Strides from = StridesOf(graph, node.inputs[0]);
  StridedMove move;
  move.copy.dims = DimsOf(output);
  move.copy.to_strides = StridesOf(graph, node.outputs[0]);
  for (int d = 0; d < output.rank(); ++d) {
    int64_t start = slicing.starts[d];
    if (start < 0) start += input[d];
    // Where it starts outside, the step leads in from the border.
    start = slicing.steps[d] > 0 ? std::clamp<int64_t>(start, 0, input[d])
                                 : std::clamp<int64_t>(start, -1, input[d] - 1);
    if (output[d] == 0) continue;
    move.copy.from_at += start * from.at[d];
    move.copy.from_strides.at[d] = output[d] == 1 ? 0 : from.at[d] * slicing.steps[d];
  }
  return MakeMoveKernel(graph, node, {move});
}

// Pads by axis, all at the front and then all at the back; nullopt when they are not known.
std::optional<std::vector<int64_t>> PadsOf(const Graph& graph, const Node& node) {
  const int rank = ShapeOf(graph, node.inputs[0]).rank();
  const auto given = Constants(graph, node, 1);
  const auto axes = Constants(graph, node, 3);
  if (!given || !axes) return std::nullopt;
  if (!HasInput(node, 3)) {
    if (static_cast<int>(given->size()) != 2 * rank) return std::nullopt;
    return given;
  }
  if (given->size() != 2 * axes->size()) return std::nullopt;
  std::vector<int64_t> pads(2 * rank, 0);
  for (size_t i = 0; i < axes->size(); ++i) {
    const auto axis = NormalizeAxis((*axes)[i], rank);
    if (!axis.ok()) return std::nullopt;
    pads[*axis] = (*given)[i];
    pads[*axis + rank] = (*given)[i + axes->size()];
  }
  return pads;
}

bool SupportsPad(const Graph& graph, const Node& node) {
  if (!CanMove(graph, node) || node.attributes.String("mode", "constant") != "constant") {
    return false;
  }
  if (HasInput(node, 2)) {
    const Tensor* value = graph.constant(node.inputs[2]);
    if (value == nullptr || value->num_elements() != 1 ||
        value->dtype() != DTypeOf(graph, node.inputs[0])) {
      return false;
    }
  }
  return PadsOf(graph, node).has_value();
}

Kernel PreparePad(const Graph& graph, const Node& node, const CudaPrepareContext&) {
  const Shape input = BoundShape(graph, node.inputs[0]);
  const std::vector<int64_t> pads = *PadsOf(graph, node);
  const Strides from = StridesOf(graph, node.inputs[0]);
  const Strides to = StridesOf(graph, node.outputs[0]);
  StridedMove move;
  move.copy.dims.rank = input.rank();
  for (int d = 0; d < input.rank(); ++d) {
    // Negative pads cut.
    const int64_t front = pads[d];
    const int64_t cut =
        std::max<int64_t>(0, -front) + std::max<int64_t>(0, -pads[d + input.rank()]);
    move.copy.dims.size[d] = std::max<int64_t>(0, input[d] - cut);
    move.copy.from_at += std::max<int64_t>(0, -front) * from.at[d];
    move.copy.to_at += std::max<int64_t>(0, front) * to.at[d];
  }
  move.copy.from_strides = from;
  move.copy.to_strides = to;
  uint64_t fill = 0;
  if (HasInput(node, 2)) {
    const Tensor& value = *graph.constant(node.inputs[2]);
    std::memcpy(&fill, value.raw(), value.byte_size());
  }
  return MakeMoveKernel(graph, node, {move}, true, fill);
}

constexpr LayoutPreference kRowMajor = LayoutPreference::kRowMajor;

constexpr CudaKernelDef kKernels[] = {
    {"inferd", "Reorder", SupportsMove, kRowMajor, PrepareReorder},
    {"", "Transpose", SupportsMove, kRowMajor, PrepareTranspose},
    {"", "Expand", SupportsMove, kRowMajor, PrepareExpand},
    {"", "Concat", SupportsConcat, LayoutPreference::kAny, PrepareConcat},
    {"", "Split", SupportsSplit, kRowMajor, PrepareSplit},
    {"", "Slice", SupportsSlice, kRowMajor, PrepareSlice},
    {"", "Pad", SupportsPad, kRowMajor, PreparePad},
};

}  // namespace

absl::Span<const CudaKernelDef> MoveKernels() { return kKernels; }

}  // namespace inferd::cuda
