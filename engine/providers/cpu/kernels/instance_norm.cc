#include <algorithm>

#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/binary_f32.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/rows_f32.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// InstanceNormalization and GroupNormalization: each group of channels of an image has its own mean
// and variance.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 32768;  // elements

// `groups` groups of `channels` channels of `plane` elements; scale and bias repeat after
// `parameters` channels.
struct GroupPlan {
  int64_t groups;
  int64_t channels;
  int64_t plane;
  int64_t parameters;
  float epsilon;
};

bool Supports(const Graph& graph, const Node& node) {
  for (int i = 0; i < 3; ++i) {
    if (InputDType(graph, node, i) != DType::kFloat32) return false;
  }
  const SymbolicShape& shape = InputValue(graph, node, 0).type.shape;
  return shape.rank() >= 3 && shape.dim(1).known() && shape.dim(1).value > 0 &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

void Normalize(const GroupPlan& plan, int64_t group, const StepContext& step) {
  const int64_t elements = plan.channels * plan.plane;
  const float* x = step.inputs[0]->data<float>() + group * elements;
  const float* scale = step.inputs[1]->data<float>();
  const float* bias = step.inputs[2]->data<float>();
  float* y = step.outputs[0]->mutable_data<float>() + group * elements;
  float mean = 0.0f;
  float deviation = 1.0f;
  MomentsF32(x, elements, plan.epsilon, &mean, &deviation);
  for (int64_t i = 0; i < plan.channels; ++i) {
    const int64_t channel = (group * plan.channels + i) % plan.parameters;
    const float factor = scale[channel] / deviation;
    RunScaleShiftF32(x + i * plan.plane, factor, bias[channel] - mean * factor, y + i * plan.plane,
                     plan.plane);
  }
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  const Shape shape = BoundShape(InputValue(graph, node, 0));
  const int64_t channels = shape[1];
  const bool grouped = node.op->name == "GroupNormalization";
  const int64_t groups = grouped ? node.attributes.Int("num_groups", 1) : channels;
  if (groups < 1 || channels % groups != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute num_groups is ", groups, " for ", channels, " channels"));
  }
  for (const int i : {1, 2}) {
    const Shape parameters = BoundShape(InputValue(graph, node, i));
    if (parameters.num_elements() != channels) {
      return absl::InvalidArgumentError(absl::StrCat(node.op->name, " input ", i, " is ",
                                                     parameters.ToString(), " for ", channels,
                                                     " channels"));
    }
  }
  const GroupPlan plan{shape[0] * groups, channels / groups, shape.Product(2, shape.rank()),
                       channels, node.attributes.Float("epsilon", 1e-5f)};
  const int64_t elements = plan.channels * plan.plane;
  return MakeStepKernel(graph, node, "simd:groups", [plan, elements](const StepContext& step) {
    ParallelRanges(step.threads, elements == 0 ? 0 : plan.groups,
                   kMinPerThread / std::max<int64_t>(1, elements) + 1, 1,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t group = begin; group < end; ++group) Normalize(plan, group, step);
                   });
    return absl::OkStatus();
  });
}

constexpr CpuKernelDef kKernels[] = {
    {"", "InstanceNormalization", Supports, RowMajorOnly, Prepare},
    {"", "GroupNormalization", Supports, RowMajorOnly, Prepare},
};

}  // namespace

absl::Span<const CpuKernelDef> InstanceNormKernels() { return kKernels; }

}  // namespace inferd::cpu
