#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "engine/ops/infer_context.h"
#include "engine/ops/normalization.h"
#include "engine/ops/resample.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"
#include "engine/providers/cpu/simd/resample_plan.h"

// Resize of the last two axes (rows and columns of images, or the last axis of sequences) with
// constant scales or sizes, in both layouts.
namespace inferd::cpu {
namespace {

constexpr int kScales = 2;
constexpr int kSizes = 3;

const Tensor* Given(const Graph& graph, const Node& node, int i) {
  const Tensor* constant = ConstantOperand(graph, node, i);
  return constant != nullptr && constant->num_elements() > 0 ? constant : nullptr;
}

bool IsAbsent(const Graph& graph, const Node& node, int i) {
  return !HasOperand(node, i) ||
         (ConstantOperand(graph, node, i) != nullptr && Given(graph, node, i) == nullptr);
}

// How each axis is resampled; nullopt when that is not known or not covered here.
std::optional<std::vector<ResampleAxis>> Axes(const Graph& graph, const Node& node,
                                              const Shape& input, const Shape& output) {
  std::vector<ResampleAxis> axes;
  for (int i = 0; i < input.rank(); ++i) {
    axes.push_back({input[i], output[i], 1.0f, static_cast<float>(output[i])});
  }
  std::vector<int> named(input.rank());
  for (int i = 0; i < input.rank(); ++i) named[i] = i;
  if (node.attributes.Has("axes")) {
    auto given = NormalizeAxes(node.attributes.Ints("axes"), input.rank());
    if (!given.ok()) return std::nullopt;
    named = *std::move(given);
  }
  std::vector<double> scales;
  if (const Tensor* constant = Given(graph, node, kScales); constant != nullptr) {
    auto values = ToDoubles(*constant);
    if (!values.ok() || values->size() != named.size()) return std::nullopt;
    scales = *std::move(values);
  }
  for (size_t i = 0; i < named.size(); ++i) {
    ResampleAxis& axis = axes[named[i]];
    if (axis.input == 0) return std::nullopt;
    if (scales.empty()) {
      axis.scale = static_cast<float>(axis.output) / static_cast<float>(axis.input);
    } else {
      axis.scale = static_cast<float>(scales[i]);
      axis.output_length = static_cast<float>(axis.input) * axis.scale;
    }
  }
  return axes;
}

bool Changes(const ResampleAxis& axis) { return axis.scale != 1.0f || axis.input != axis.output; }

bool Supports(const Graph& graph, const Node& node) {
  if (!IsPlainTensor(graph, node, 0) || !ElementwiseChain::SupportsEpilogue(graph, node)) {
    return false;
  }
  const SymbolicShape& in = InputValue(graph, node, 0).type.shape;
  const SymbolicShape& out = OutputValue(graph, node).type.shape;
  // What the axes do depends on the sizes, so only bound nodes are taken.
  if (!in.IsConcrete() || !out.IsConcrete() || in.rank() < 3) return false;
  const bool by_scales = Given(graph, node, kScales) != nullptr && IsAbsent(graph, node, kSizes);
  const bool by_sizes = Given(graph, node, kSizes) != nullptr && IsAbsent(graph, node, kScales) &&
                        node.attributes.String("keep_aspect_ratio_policy", "stretch") == "stretch";
  if (!by_scales && !by_sizes) return false;
  const auto settings = ReadResampleSettings(node.attributes);
  if (!settings.ok() || settings->coordinates == ResampleCoordinates::kCropAndResize) return false;
  const auto axes = Axes(graph, node, in.ToShape(), out.ToShape());
  if (!axes) return false;
  for (int i = 0; i + 2 < in.rank(); ++i) {
    if (Changes((*axes)[i])) return false;
  }
  // The axis before the last is one of the channels in sequences: it must stay as it is.
  if (in.rank() == 3 && Changes((*axes)[1])) return false;
  if (settings->mode == ResampleMode::kNearest) return true;
  return InputDType(graph, node, 0) == DType::kFloat32 && !settings->antialias;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Value& input = InputValue(graph, node, 0);
  const Shape in = BoundShape(input);
  const Shape out = BoundShape(OutputValue(graph, node));
  const int rank = in.rank();
  ASSIGN_OR_RETURN(const ResampleSettings settings, ReadResampleSettings(node.attributes));
  const auto axes = Axes(graph, node, in, out);
  if (!axes) return absl::InternalError("Resize was prepared without being supported");
  const bool channels_last = input.layout == Layout::kChannelsLast;
  const bool sequence = rank == 3;
  ResamplePlan::Sizes sizes;
  sizes.in_rows = sequence ? 1 : in[rank - 2];
  sizes.out_rows = sequence ? 1 : out[rank - 2];
  sizes.in_cols = in[rank - 1];
  sizes.out_cols = out[rank - 1];
  sizes.inner = channels_last ? in[1] : 1;
  sizes.outer = in.num_elements() == 0
                    ? 0
                    : in.num_elements() / (sizes.in_rows * sizes.in_cols * sizes.inner);
  const ResampleAxis no_change{1, 1, 1.0f, 1.0f};
  const ResamplePlan plan(sizes,
                          MakeResampleTable(settings, sequence ? no_change : (*axes)[rank - 2]),
                          MakeResampleTable(settings, (*axes)[rank - 1]));
  if (settings.mode == ResampleMode::kNearest) {
    const int64_t bytes = ElementBytes(input.type.dtype);
    return MakeStepKernel(graph, node, "resize:nearest", [=](const StepContext& step) {
      plan.RunNearest(step.inputs[0]->raw(), step.outputs[0]->mutable_raw(), bytes, step.threads);
      return absl::OkStatus();
    });
  }
  return MakeStepKernel(
      graph, node, "resize:weighted",
      [=](const StepContext& step) {
        plan.RunWeighted(step.inputs[0]->data<float>(), step.outputs[0]->mutable_data<float>(),
                         step.scratch, step.threads);
        return absl::OkStatus();
      },
      plan.scratch_bytes(context.threads));
}

constexpr CpuKernelDef kKernels[] = {{"", "Resize", Supports, AnyLayout, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> ResizeKernels() { return kKernels; }

}  // namespace inferd::cpu
