#include "engine/providers/cuda/launch/attention.h"

#include <algorithm>
#include <memory>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/strided_attention.h"
#include "engine/providers/cuda/cudnn_attention.h"
#include "engine/providers/cuda/cudnn_planner.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

// inferd.Attention in one kernel that keeps no scores: cuDNN's where it has one, else the own.
namespace inferd::cuda {
namespace {

enum Input { kQ, kK, kV, kBias, kMask };

// As the rank of an algorithm.
constexpr int kOwnKernel = 1;
// The compute capability from which on cuDNN takes large heads. A smaller device leaves them to the
// host.
constexpr int kLargeHeads = 90;

HeadStrides StridesOf(const HeadLayout& layout) {
  return {layout.offset, layout.batch, layout.head, layout.row};
}
HeadStrides StridesOf(const StridedAttention::ScoreLayout& layout) {
  return {0, layout.batch, layout.head, layout.query};
}

bool Supports(const Graph& graph, const Node& node) {
  const auto attention = StridedAttention::Read(node.attributes);
  if (!attention.ok()) return false;
  const DType type = DTypeOf(graph, node.inputs[kQ]);
  const int64_t most =
      type == DType::kFloat32 ? kMostHeadSize : CudnnAttention::MostHeadSize(kLargeHeads);
  if (attention->depth > most || attention->width > most) return false;
  if (!IsFloatType(type) || DTypeOf(graph, node.inputs[kK]) != type ||
      DTypeOf(graph, node.inputs[kV]) != type || DTypeOf(graph, node.outputs[0]) != type) {
    return false;
  }
  if (HasInput(node, kBias) && !IsFloatType(DTypeOf(graph, node.inputs[kBias]))) return false;
  return ElementwisePlan::SupportsEpilogue(graph, node);
}

// Without addresses.
AttentionRequest Describe(const Graph& graph, const Node& node, const StridedAttention& attention) {
  AttentionRequest request;
  request.type = *TypeOf(graph, node.inputs[kQ]);
  if (HasInput(node, kBias)) request.bias_type = *TypeOf(graph, node.inputs[kBias]);
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
  return request;
}

using SharedAttention = std::shared_ptr<const CudnnAttention>;

// Null where the own kernel is asked for or cuDNN does not take it.
absl::StatusOr<SharedAttention> TryLibrary(const AttentionRequest& request, const Node& node,
                                           const CudaPrepareContext& context) {
  SharedAttention made;
  if (context.rank == kOwnKernel) return made;
  const absl::Status status = context.planner->Run([&](cudnnHandle_t handle) -> absl::Status {
    ASSIGN_OR_RETURN(made,
                     CudnnAttention::Make(request, HasInput(node, kBias), HasInput(node, kMask),
                                          context.device->compute_capability(), handle));
    return absl::OkStatus();
  });
  if (!status.ok() && !absl::IsUnimplemented(status)) return status;
  return made;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext& context) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(node.attributes));
  const AttentionRequest request = Describe(graph, node, attention);
  ASSIGN_OR_RETURN(const SharedAttention library, TryLibrary(request, node, context));
  if (library == nullptr && std::max(request.depth, request.width) > kMostHeadSize) {
    return absl::UnimplementedError("cuDNN takes no heads of this size here");
  }
  const bool has_bias = HasInput(node, kBias);
  const bool has_mask = HasInput(node, kMask);
  const int64_t covered = attention.batch * attention.heads * attention.queries * attention.width;
  const bool covers = covered == attention.output_shape.num_elements();
  const auto bytes = static_cast<int>(ElementBytes(DTypeOf(graph, node.outputs[0])));
  const auto launch = [=](const StepContext& step, CudaContext& cuda) -> absl::Status {
    AttentionRequest run = request;
    run.q = step.inputs[kQ]->raw();
    run.k = step.inputs[kK]->raw();
    run.v = step.inputs[kV]->raw();
    run.y = step.outputs[0]->mutable_raw();
    if (has_bias) run.bias = step.inputs[kBias]->raw();
    if (has_mask) run.mask = step.inputs[kMask]->data<uint8_t>();
    if (!covers) {
      RETURN_IF_ERROR(cuda.device().Check(
          cudaMemsetAsync(run.y, 0, step.outputs[0]->num_elements() * bytes, cuda.stream()),
          "zeros"));
    }
    if (library != nullptr) return library->Run(run, step.scratch, cuda);
    LaunchAttention(run, cuda.stream());
    return absl::OkStatus();
  };
  const StepOptions options = {.scratch_bytes =
                                   library == nullptr ? 0 : library->workspace_bytes()};
  return MakeStepKernel(graph, node, library == nullptr ? "attention" : "cudnn attention", launch,
                        options);
}

constexpr CudaKernelDef kKernels[] = {
    {"inferd", "Attention", Supports, LayoutPreference::kRowMajor, Prepare, kOwnKernel + 1},
};

}  // namespace

absl::Span<const CudaKernelDef> AttentionKernels() { return kKernels; }

}  // namespace inferd::cuda
