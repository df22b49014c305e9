#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/cast.h"
#include "engine/ops/window.h"
#include "engine/plan/device_weights.h"
#include "engine/providers/cuda/converted_constant.h"
#include "engine/providers/cuda/cuda_status.h"
#include "engine/providers/cuda/cudnn_convolution.h"
#include "engine/providers/cuda/cudnn_planner.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/launch/convolution.h"
#include "engine/providers/cuda/launch/elementwise.h"
#include "engine/providers/cuda/moving_window.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

// Conv, channels-last, on cuDNN: with bias, a residual and a Relu where an engine takes them, else
// alone with kernels for those, else by the own slow kernel.
namespace inferd::cuda {
namespace {

constexpr int kDims = 5;

bool Supports(const Graph& graph, const Node& node) {
  if (!AllOperands(graph, node, IsFloatType, kDims) || node.num_op_inputs() < 2) return false;
  const SymbolicShape& x = ShapeOf(graph, node.inputs[0]);
  const Tensor* w = graph.constant(node.inputs[1]);
  if (x.rank() < 3 || w == nullptr || w->num_elements() == 0) return false;
  const DType type = DTypeOf(graph, node.inputs[0]);
  for (int i = 1; i < node.num_op_inputs(); ++i) {
    if (HasInput(node, i) && !IsOrBecomes(graph, node.inputs[i], type)) return false;
  }
  return DTypeOf(graph, node.outputs[0]) == type && ElementwisePlan::SupportsEpilogue(graph, node);
}

// What a convolution is, with two or three spatial dimensions: one of size 1 is put in front of
// one.
struct Described {
  ConvolutionSpec spec;
  ConvolutionRequest direct;
  int64_t filter_taps = 1;
};

absl::StatusOr<Described> Describe(const Graph& graph, const Node& node) {
  const Shape x = BoundShape(graph, node.inputs[0]);
  const Shape w = BoundShape(graph, node.inputs[1]);
  const SymbolicShape sizes = SymbolicShape(x);
  const SymbolicShape weights = SymbolicShape(w);
  ASSIGN_OR_RETURN(const Window window,
                   ResolveWindow(node.attributes, absl::MakeConstSpan(sizes.dims()).subspan(2),
                                 absl::MakeConstSpan(weights.dims()).subspan(2)));
  Described described;
  ConvolutionSpec& spec = described.spec;
  ConvolutionRequest& direct = described.direct;
  spec.type = direct.type = *TypeOf(graph, node.inputs[0]);
  direct.batch = x[0];
  direct.channels = x[1];
  direct.filters = w[0];
  direct.groups = node.attributes.Int("group", 1);
  spec.x = {x[0], x[1]};
  spec.w = {w[0], w[1]};
  spec.y = {x[0], w[0]};
  direct.window = MovingWindowOf(window);
  const auto add = [&](int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad,
                       int64_t pad_end, int64_t out) {
    spec.x.push_back(in);
    spec.w.push_back(kernel);
    spec.y.push_back(out);
    spec.strides.push_back(stride);
    spec.dilations.push_back(dilation);
    spec.pads_begin.push_back(pad);
    spec.pads_end.push_back(pad_end);
    described.filter_taps *= kernel;
  };
  const int rank = window.rank();
  if (rank == 1) add(1, 1, 1, 1, 0, 0, 1);
  for (int d = 0; d < rank; ++d) {
    add(window.input[d], window.kernel[d], window.strides[d], window.dilations[d],
        window.pads_begin[d], window.pads_end[d], window.output[d]);
  }
  return described;
}

// [K,C,spatial...] -> [K,spatial...,C] of `type`.
absl::StatusOr<std::shared_ptr<const void>> PackWeights(const Tensor& w, DType type,
                                                        int64_t filters, int64_t taps,
                                                        const CudaPrepareContext& context) {
  const int64_t bytes = ElementBytes(type);
  const auto pack = [&](void* packed) -> absl::Status {
    const int64_t channels = w.num_elements() / filters / taps;
    Tensor converted = w;
    if (w.dtype() != type) {
      ASSIGN_OR_RETURN(converted, Tensor::Allocate(type, w.shape()));
      RETURN_IF_ERROR(CastElements(w, &converted));
    }
    const auto* from = static_cast<const char*>(converted.raw());
    auto* to = static_cast<char*>(packed);
    for (int64_t f = 0; f < filters; ++f) {
      for (int64_t t = 0; t < taps; ++t) {
        for (int64_t c = 0; c < channels; ++c) {
          std::memcpy(to, from + ((f * channels + c) * taps + t) * bytes, bytes);
          to += bytes;
        }
      }
    }
    return absl::OkStatus();
  };
  return context.device_weights->GetOrPack(*context.device, w,
                                           absl::StrCat("channels last ", DTypeName(type)),
                                           w.num_elements() * bytes, pack);
}

// The steps at the front of the epilogue that the library may take.
struct Absorbed {
  int residual = -1;
  size_t steps = 0;
};

Absorbed Absorb(const Graph& graph, const Node& node, ConvolutionSpec* spec) {
  Absorbed absorbed;
  for (const EpilogueStep& step : node.epilogue) {
    if (!step.op->domain.empty()) return absorbed;
    if (step.op->name == "Relu") {
      spec->relu = true;
      ++absorbed.steps;
      return absorbed;
    }
    if (step.op->name != "Add" || step.operand < 0 || spec->residual) return absorbed;
    const ValueId operand = node.inputs[step.operand];
    const ValueId output = node.outputs[0];
    if (DTypeOf(graph, operand) != DTypeOf(graph, output) ||
        BoundShape(graph, operand) != BoundShape(graph, output) ||
        graph.value(operand).layout != graph.value(output).layout) {
      return absorbed;
    }
    spec->residual = true;
    absorbed.residual = step.operand;
    ++absorbed.steps;
  }
  return absorbed;
}

// y += bias, one value a channel.
void AddBias(const void* bias, Tensor* y, Type type, cudaStream_t stream) {
  ElementwiseProgram program;
  program.num_inputs = 2;
  program.num_instructions = 1;
  program.elements = y->num_elements();
  program.dims = {2, {y->num_elements() / y->dim(1), y->dim(1)}};
  program.inputs[0] = {y->raw(), type, true, {}};
  program.inputs[1] = {bias, type, false, {{0, 1}}};
  program.instructions[0].code = Code::kAdd;
  program.instructions[0].y = 1;
  program.output = y->mutable_raw();
  program.output_type = type;
  LaunchElementwise(program, stream);
}

using SharedConvolution = std::shared_ptr<const CudnnConvolution>;

// Null where cuDNN does not take it.
absl::StatusOr<SharedConvolution> TryLibrary(const ConvolutionSpec& spec,
                                             const CudaPrepareContext& context) {
  SharedConvolution made;
  const absl::Status status = context.planner->Run([&](cudnnHandle_t handle) -> absl::Status {
    ASSIGN_OR_RETURN(made, CudnnConvolution::Make(spec, context.rank, handle));
    return absl::OkStatus();
  });
  if (!status.ok() && !absl::IsUnimplemented(status)) return status;
  return made;
}

// The constants that a convolution holds.
struct Held {
  std::shared_ptr<const void> weights;
  std::shared_ptr<const void> bias;  // null where it is absent or an input that is read
  uint64_t inputs = 0;               // as in StepOptions
};

absl::StatusOr<Held> HeldBy(const Graph& graph, const Node& node, const Described& described,
                            const CudaPrepareContext& context) {
  constexpr uint64_t kWeights = 1 << 1;
  constexpr uint64_t kBias = 1 << 2;
  const DType type = DTypeOf(graph, node.inputs[0]);
  Held held;
  held.inputs = kWeights;
  ASSIGN_OR_RETURN(held.weights,
                   PackWeights(*graph.constant(node.inputs[1]), type, described.direct.filters,
                               described.filter_taps, context));
  if (HasInput(node, 2) && DTypeOf(graph, node.inputs[2]) != type) {
    ASSIGN_OR_RETURN(held.bias, ConvertedConstant(*graph.constant(node.inputs[2]), type, context));
    held.inputs |= kBias;
  }
  return held;
}

const void* BiasOf(const Held& held, const StepContext& context) {
  return held.bias != nullptr ? held.bias.get() : context.inputs[2]->raw();
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareFused(const Graph& graph, const Node& node,
                                                          SharedConvolution library,
                                                          const Held& held,
                                                          const Absorbed& absorbed) {
  const bool has_bias = HasInput(node, 2);
  const StepOptions options = {absorbed.steps, library->workspace_bytes(), held.inputs};
  const auto launch = [=, residual = absorbed.residual](const StepContext& context,
                                                        CudaContext& cuda) {
    ConvolutionOperands operands;
    operands.x = context.inputs[0]->raw();
    operands.w = held.weights.get();
    operands.y = context.outputs[0]->mutable_raw();
    operands.workspace = context.scratch;
    if (has_bias) operands.bias = BiasOf(held, context);
    if (residual >= 0) operands.residual = context.inputs[residual]->raw();
    return library->Run(operands, cuda);
  };
  return MakeStepKernel(graph, node, "cudnn fused" + RankText(library->rank()), launch, options);
}

// `library` may be null.
absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareAlone(const Graph& graph, const Node& node,
                                                          SharedConvolution library,
                                                          const Held& held,
                                                          const ConvolutionRequest& direct) {
  const bool has_bias = HasInput(node, 2);
  const StepOptions options = {0, library == nullptr ? 0 : library->workspace_bytes(), held.inputs};
  const auto launch = [=](const StepContext& context, CudaContext& cuda) -> absl::Status {
    if (library != nullptr) {
      ConvolutionOperands operands;
      operands.x = context.inputs[0]->raw();
      operands.w = held.weights.get();
      operands.y = context.outputs[0]->mutable_raw();
      operands.workspace = context.scratch;
      RETURN_IF_ERROR(library->Run(operands, cuda));
    } else {
      ConvolutionRequest request = direct;
      request.x = context.inputs[0]->raw();
      request.w = held.weights.get();
      request.y = context.outputs[0]->mutable_raw();
      LaunchDirectConvolution(request, cuda.stream());
    }
    if (has_bias) {
      AddBias(BiasOf(held, context), context.outputs[0], direct.type, cuda.stream());
    }
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node,
                        library == nullptr ? "direct" : "cudnn" + RankText(library->rank()), launch,
                        options);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext& context) {
  ASSIGN_OR_RETURN(Described described, Describe(graph, node));
  ASSIGN_OR_RETURN(const Held held, HeldBy(graph, node, described, context));
  described.spec.tf32 = context.tf32;
  ConvolutionSpec fused = described.spec;
  fused.bias = HasInput(node, 2);
  const Absorbed absorbed = Absorb(graph, node, &fused);
  ASSIGN_OR_RETURN(SharedConvolution library, TryLibrary(fused, context));
  if (library != nullptr) {
    return PrepareFused(graph, node, std::move(library), held, absorbed);
  }
  ASSIGN_OR_RETURN(library, TryLibrary(described.spec, context));
  return PrepareAlone(graph, node, std::move(library), held, described.direct);
}

constexpr CudaKernelDef kKernels[] = {
    {"", "Conv", Supports, LayoutPreference::kChannelsLast, Prepare, CudnnPlan::kMostAlgorithms},
};

}  // namespace

absl::Span<const CudaKernelDef> ConvKernels() { return kKernels; }

}  // namespace inferd::cuda
