#include "engine/providers/cuda/launch/attention.h"

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/strided_attention.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

// inferd.Attention in one kernel that keeps no scores.
namespace inferd::cuda {
namespace {

enum Input { kQ, kK, kV, kBias, kMask };

HeadStrides StridesOf(const HeadLayout& layout) {
  return {layout.offset, layout.batch, layout.head, layout.row};
}
HeadStrides StridesOf(const StridedAttention::ScoreLayout& layout) {
  return {0, layout.batch, layout.head, layout.query};
}

bool Supports(const Graph& graph, const Node& node) {
  const auto attention = StridedAttention::Read(node.attributes);
  if (!attention.ok() || attention->depth > kMostHeadSize || attention->width > kMostHeadSize) {
    return false;
  }
  const DType type = DTypeOf(graph, node.inputs[kQ]);
  if (!IsFloatType(type) || DTypeOf(graph, node.inputs[kK]) != type ||
      DTypeOf(graph, node.inputs[kV]) != type || DTypeOf(graph, node.outputs[0]) != type) {
    return false;
  }
  if (HasInput(node, kBias) && !IsFloatType(DTypeOf(graph, node.inputs[kBias]))) return false;
  return ElementwisePlan::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext&) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(node.attributes));
  AttentionRequest request;
  request.type = *TypeOf(graph, node.inputs[kQ]);
  const bool has_bias = HasInput(node, kBias);
  const bool has_mask = HasInput(node, kMask);
  if (has_bias) request.bias_type = *TypeOf(graph, node.inputs[kBias]);
  request.q_strides = StridesOf(attention.q);
  request.k_strides = StridesOf(attention.k);
  request.v_strides = StridesOf(attention.v);
  request.y_strides = StridesOf(attention.y);
  request.bias_strides = StridesOf(attention.bias);
  request.mask_strides = StridesOf(attention.mask);
  request.batch = attention.batch;
  request.heads = attention.heads;
  request.group = attention.group;
  request.queries = attention.queries;
  request.keys = attention.keys;
  request.depth = attention.depth;
  request.width = attention.width;
  request.scale = attention.scale;
  request.causal = attention.causal;
  request.first_position = attention.first_position;
  request.mask_hides = attention.mask_hides;
  request.hidden = attention.hidden;
  request.zero_hidden_rows = attention.zero_hidden_rows;
  const int64_t covered = attention.batch * attention.heads * attention.queries * attention.width;
  const bool covers = covered == attention.output_shape.num_elements();
  const auto bytes = static_cast<int>(ElementBytes(DTypeOf(graph, node.outputs[0])));
  const auto launch = [=](const StepContext& context, CudaContext& cuda) -> absl::Status {
    AttentionRequest run = request;
    run.q = context.inputs[kQ]->raw();
    run.k = context.inputs[kK]->raw();
    run.v = context.inputs[kV]->raw();
    run.y = context.outputs[0]->mutable_raw();
    if (has_bias) run.bias = context.inputs[kBias]->raw();
    if (has_mask) run.mask = context.inputs[kMask]->data<uint8_t>();
    if (!covers) {
      RETURN_IF_ERROR(cuda.device().Check(
          cudaMemsetAsync(run.y, 0, context.outputs[0]->num_elements() * bytes, cuda.stream()),
          "zeros"));
    }
    LaunchAttention(run, cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "attention", launch);
}

constexpr CudaKernelDef kKernels[] = {
    {"inferd", "Attention", Supports, LayoutPreference::kRowMajor, Prepare},
};

}  // namespace

absl::Span<const CudaKernelDef> AttentionKernels() { return kKernels; }

}  // namespace inferd::cuda
