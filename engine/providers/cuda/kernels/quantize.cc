#include "engine/providers/cuda/launch/quantize.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/quantization.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

// QuantizeLinear and DequantizeLinear of integers and floats of 8 bits, for the whole tensor, by
// slice and by block, and DynamicQuantizeLinear.
namespace inferd::cuda {
namespace {

std::optional<Stored> StoredAs(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
    case DType::kInt4:
    case DType::kInt2:
      return Stored::kInt8;
    case DType::kUint8:
    case DType::kUint4:
    case DType::kUint2:
      return Stored::kUint8;
    case DType::kInt16:
      return Stored::kInt16;
    case DType::kUint16:
      return Stored::kUint16;
    case DType::kInt32:
      return Stored::kInt32;
    case DType::kFloat8E4m3fn:
      return Stored::kFloat8E4m3;
    case DType::kFloat8E5m2:
      return Stored::kFloat8E5m2;
    default:
      return std::nullopt;
  }
}

// Between what is stored in `quantized` and numbers in `real`, by the scale and zero point of the
// inputs.
bool TakesTypes(const Graph& graph, const Node& node, ValueId quantized, ValueId real) {
  if (node.outputs.size() != 1 || !graph.value(node.inputs[0]).type.is_tensor()) return false;
  const SymbolicShape& shape = ShapeOf(graph, node.inputs[0]);
  if (!shape.has_rank() || shape.rank() > kMaxDims || !HasInput(node, 1)) return false;
  const DType stored = DTypeOf(graph, quantized);
  if (!StoredAs(stored) || !IsFloatType(DTypeOf(graph, node.inputs[1]))) return false;
  if (HasInput(node, 2) && DTypeOf(graph, node.inputs[2]) != stored) return false;
  return TypeOf(graph, real).has_value() && ElementwisePlan::SupportsEpilogue(graph, node);
}

bool SupportsQuantize(const Graph& graph, const Node& node) {
  const DType precision = static_cast<DType>(node.attributes.Int("precision", 0));
  return TakesTypes(graph, node, node.outputs[0], node.inputs[0]) &&
         DTypeOf(graph, node.outputs[0]) != DType::kInt32 &&
         (precision == DType::kInvalid || IsFloatType(precision));
}

bool SupportsDequantize(const Graph& graph, const Node& node) {
  return TakesTypes(graph, node, node.inputs[0], node.outputs[0]) &&
         IsFloatType(DTypeOf(graph, node.outputs[0]));
}

// X's dimensions in the order of its memory.
std::vector<int> MemoryOrder(const Graph& graph, ValueId value, int rank) {
  std::vector<int> order;
  for (int d = 0; d < rank; ++d) order.push_back(d);
  if (graph.value(value).layout == Layout::kChannelsLast && rank > 2) {
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  }
  return order;
}

// Where each element's scale is. The shapes were checked when they were inferred.
absl::StatusOr<ScaleGrid> GridOf(const Graph& graph, const Node& node) {
  const Shape x = BoundShape(graph, node.inputs[0]);
  const Shape scale = BoundShape(graph, node.inputs[1]);
  const int64_t block = node.attributes.Int("block_size", 0);
  ScaleGrid grid;
  grid.dims = {1, {x.num_elements()}};
  if (scale.num_elements() == 1 && (scale.rank() <= 1 || block == 0)) return grid;
  if (HasInput(node, 2) &&
      graph.value(node.inputs[1]).layout != graph.value(node.inputs[2]).layout) {
    return absl::UnimplementedError("scale and zero point lie in different orders");
  }
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 1), x.rank()));
  const bool blocked = block > 0;
  const Strides own = StridesOf(graph, node.inputs[1]);
  grid.dims.rank = 0;
  for (const int d : MemoryOrder(graph, node.inputs[0], x.rank())) {
    const int64_t stride = blocked ? own.at[d] : d == axis ? 1 : 0;
    const int last = grid.dims.rank - 1;
    const bool apart = blocked && (d == axis || last == grid.axis);
    if (last >= 0 && !apart && grid.strides.at[last] == stride * x[d]) {
      grid.dims.size[last] *= x[d];
      grid.strides.at[last] = stride;
      continue;
    }
    if (blocked && d == axis) grid.axis = grid.dims.rank;
    grid.dims.size[grid.dims.rank] = x[d];
    grid.strides.at[grid.dims.rank++] = stride;
  }
  grid.block = blocked ? block : 1;
  return grid;
}

const void* DataOf(const StepContext& context, size_t input) {
  const bool given = input < context.inputs.size() && context.inputs[input] != nullptr;
  return given ? context.inputs[input]->raw() : nullptr;
}

// The step that launches `request` over input 0 with the scale and zero point of the inputs.
template <typename Request>
absl::StatusOr<std::unique_ptr<BoundKernel>> MakeScaledStep(
    const Graph& graph, const Node& node, std::string description, const Request& request,
    void (*launch)(const Request&, Stream)) {
  const bool zero = HasInput(node, 2);
  return MakeStepKernel(graph, node, std::move(description),
                        [request, zero, launch](const StepContext& context, CudaContext& cuda) {
                          Request bound = request;
                          bound.x = DataOf(context, 0);
                          bound.scale = DataOf(context, 1);
                          bound.zero = zero ? DataOf(context, 2) : nullptr;
                          bound.y = context.outputs[0]->mutable_raw();
                          launch(bound, cuda.stream());
                          return absl::OkStatus();
                        });
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareQuantize(const Graph& graph, const Node& node,
                                                             const CudaPrepareContext&) {
  const DType type = DTypeOf(graph, node.outputs[0]);
  QuantizeRequest request;
  ASSIGN_OR_RETURN(request.grid, GridOf(graph, node));
  request.x_type = *TypeOf(graph, node.inputs[0]);
  request.scale_type = *TypeOf(graph, node.inputs[1]);
  const auto precision = static_cast<DType>(node.attributes.Int("precision", 0));
  request.precision = precision == DType::kInvalid ? request.scale_type : *TypeOf(precision);
  request.stored = *StoredAs(type);
  if (const auto range = QuantizedRange(type); range.ok()) {
    request.lowest = range->lowest;
    request.highest = range->highest;
  }
  request.saturates = node.attributes.Int("saturate", 1) != 0;
  request.elements = BoundShape(graph, node.inputs[0]).num_elements();
  return MakeScaledStep(graph, node, "quantize", request, LaunchQuantize);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareDequantize(const Graph& graph, const Node& node,
                                                               const CudaPrepareContext&) {
  DequantizeRequest request;
  ASSIGN_OR_RETURN(request.grid, GridOf(graph, node));
  request.stored = *StoredAs(DTypeOf(graph, node.inputs[0]));
  request.scale_type = *TypeOf(graph, node.inputs[1]);
  request.y_type = *TypeOf(graph, node.outputs[0]);
  request.elements = BoundShape(graph, node.inputs[0]).num_elements();
  return MakeScaledStep(graph, node, "dequantize", request, LaunchDequantize);
}

bool SupportsDynamic(const Graph& graph, const Node& node) {
  const auto present = [](ValueId id) { return id != kNoValue; };
  return DTypeOf(graph, node.inputs[0]) == DType::kFloat32 && node.epilogue.empty() &&
         node.outputs.size() == 3 && std::all_of(node.outputs.begin(), node.outputs.end(), present);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareDynamic(const Graph& graph, const Node& node,
                                                            const CudaPrepareContext&) {
  QuantizeRequest request;
  request.elements = BoundShape(graph, node.inputs[0]).num_elements();
  request.grid.dims = {1, {request.elements}};
  const auto launch = [request](const StepContext& context, CudaContext& cuda) {
    QuantizeRequest quantize = request;
    auto* scale = static_cast<float*>(context.outputs[1]->mutable_raw());
    auto* zero = static_cast<uint8_t*>(context.outputs[2]->mutable_raw());
    quantize.x = DataOf(context, 0);
    quantize.scale = scale;
    quantize.zero = zero;
    quantize.y = context.outputs[0]->mutable_raw();
    LaunchRange(quantize.x, request.elements, context.scratch, scale, zero, cuda.stream());
    LaunchQuantize(quantize, cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "range, quantize", launch,
                        {.scratch_bytes = kRangeScratchBytes});
}

constexpr CudaKernelDef kKernels[] = {
    {"", "QuantizeLinear", SupportsQuantize, LayoutPreference::kAny, PrepareQuantize},
    {"", "DequantizeLinear", SupportsDequantize, LayoutPreference::kAny, PrepareDequantize},
    {"", "DynamicQuantizeLinear", SupportsDynamic, LayoutPreference::kAny, PrepareDynamic},
};

}  // namespace

absl::Span<const CudaKernelDef> QuantizeKernels() { return kKernels; }

}  // namespace inferd::cuda
