#include "engine/providers/cpu/dnnl_convolution.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/providers/cpu/dnnl_kernel_builder.h"
#include "engine/providers/cpu/node_checks.h"

namespace inferd::cpu {
namespace {

using dnnl::memory;
using dims = memory::dims;

int FindAddOfSameShape(const std::vector<PostOp>& ops) {
  for (size_t i = 0; i < ops.size(); ++i) {
    if (ops[i].kind == PostOp::Kind::kSameShape &&
        ops[i].algorithm == dnnl::algorithm::binary_add) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

// Sets dims and strides of the weights: [O,I/G,...] as Conv stores them, [I,O/G,...] as
// ConvTranspose does.
void DescribeWeights(const Value& weights, Convolution* conv) {
  const Shape shape = weights.type.shape.ToShape();
  const Shape::Dims strides = DenseStrides(shape, weights.layout);
  const int64_t groups = conv->groups;
  dims sizes = {conv->transposed ? shape[1] : shape[0] / groups,
                conv->transposed ? shape[0] / groups : shape[1]};
  dims steps = {strides[conv->transposed ? 1 : 0], strides[conv->transposed ? 0 : 1]};
  if (groups > 1) {
    sizes.insert(sizes.begin(), groups);
    steps.insert(steps.begin(), shape[0] / groups * strides[0]);
  }
  if (shape.rank() == 3) {
    sizes.push_back(1);
    steps.push_back(shape[2] * strides[2]);
  }
  for (int i = 2; i < shape.rank(); ++i) {
    sizes.push_back(shape[i]);
    steps.push_back(strides[i]);
  }
  conv->weights = std::move(sizes);
  conv->weight_strides = std::move(steps);
}

PostOpDescs OperandDescs(const Convolution& conv) {
  dims per_channel(conv.destination.size(), 1);
  per_channel[1] = conv.destination[1];
  PostOpDescs descs;
  descs.per_channel = DenseDesc(per_channel, memory::data_type::f32, Layout::kChannelsLast);
  descs.same_shape = DenseDesc(conv.destination, conv.destination_type, Layout::kChannelsLast);
  return descs;
}

dnnl::primitive_attr Attributes(const Convolution& conv, const PostOpDescs& descs) {
  dnnl::post_ops post_ops;
  for (int i = 0; i < static_cast<int>(conv.post_ops.size()); ++i) {
    if (i == conv.sum) {
      post_ops.append_sum(1.0f);
    } else {
      AppendPostOp(conv.post_ops[i], descs, &post_ops);
    }
  }
  dnnl::primitive_attr attr = DnnlKernelBuilder::UserScratchpad();
  attr.set_post_ops(post_ops);
  return attr;
}

template <typename Primitive>
DnnlPrimitive MakePrimitive(const Convolution& conv, dnnl::algorithm algorithm) {
  const PostOpDescs descs = OperandDescs(conv);
  const auto source = DenseDesc(conv.source, conv.source_type, Layout::kChannelsLast);
  const memory::desc weights(conv.weights, conv.source_type, memory::format_tag::any);
  const memory::desc bias =
      conv.has_bias ? DenseDesc({conv.destination[1]}, conv.bias_type) : memory::desc();
  const DnnlWindow& window = conv.window;
  const typename Primitive::desc desc(dnnl::prop_kind::forward_inference, algorithm, source,
                                      weights, bias, descs.same_shape, window.strides, window.gaps,
                                      window.pads_begin, window.pads_end);
  const typename Primitive::primitive_desc pd(desc, Attributes(conv, descs), DnnlEngine());
  return {.primitive = Primitive(pd),
          .weights = pd.weights_desc(),
          .scratchpad = pd.scratchpad_desc(),
          .implementation = pd.impl_info_str()};
}

// One pixel wide throughout: the same bytes are one pixel high, and oneDNN works along the width.
void LayDownColumn(Convolution* conv) {
  DnnlWindow& window = conv->window;
  const bool column = conv->source.size() == 4 && conv->source[3] == 1 &&
                      conv->destination[3] == 1 && window.kernel[1] == 1 &&
                      window.pads_begin[1] == 0 && window.pads_end[1] == 0;
  if (!column) return;
  for (memory::dims* dims :
       {&conv->source, &conv->destination, &conv->weights, &conv->weight_strides, &window.kernel,
        &window.strides, &window.gaps, &window.pads_begin, &window.pads_end}) {
    std::swap(dims->end()[-1], dims->end()[-2]);
  }
}

std::string Key(const Convolution& conv) {
  return absl::StrCat(
      conv.transposed ? "deconv " : "conv ", DimsText(conv.source), "*", DimsText(conv.weights),
      ">", DimsText(conv.destination), conv.window.Key(), " b", conv.has_bias, " t",
      static_cast<int>(conv.source_type), ",", static_cast<int>(conv.bias_type), ",",
      static_cast<int>(conv.destination_type), " sum", conv.sum, PostOpsKey(conv.post_ops));
}

}  // namespace

bool SupportsConvolution(const Graph& graph, const Node& node, bool transposed) {
  if (!FloatNode(graph, node, 2, 3) || !WithinSizeLimits(graph, node)) return false;
  const SymbolicShape& source = InputShape(graph, node, 0);
  const SymbolicShape& weights = InputShape(graph, node, 1);
  const int rank = source.rank();
  if (rank < 3 || rank > 5 || weights.rank() != rank || !weights.IsConcrete()) return false;
  const bool resolves = transposed
                            ? ResolveTransposedConvolution(node.attributes, source, weights).ok()
                            : ResolveConvolution(node.attributes, source, weights).ok();
  const auto post_ops = PlanPostOps(graph, node, /*channel_axis=*/1);
  if (!resolves || !post_ops) return false;
  // oneDNN 2.6's depthwise kernel reads the wrong channels of such an operand.
  const bool grouped = node.attributes.Int("group", 1) > 1;
  return !grouped || std::none_of(post_ops->begin(), post_ops->end(), [](const PostOp& op) {
    return op.kind == PostOp::Kind::kPerChannel;
  });
}

absl::StatusOr<Convolution> DescribeConvolution(const Graph& graph, const Node& node,
                                                bool transposed) {
  const SymbolicShape& source = InputShape(graph, node, 0);
  const SymbolicShape& weights = InputShape(graph, node, 1);
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   transposed ? ResolveTransposedConvolution(node.attributes, source, weights)
                              : ResolveConvolution(node.attributes, source, weights));
  auto post_ops = PlanPostOps(graph, node, 1);
  if (!post_ops) return absl::InternalError("a convolution was prepared without being supported");
  Convolution conv;
  conv.transposed = transposed;
  conv.window = transposed ? DnnlWindow::OfTransposed(shape.window) : DnnlWindow::Of(shape.window);
  conv.groups = shape.groups;
  conv.source = LiftedDims(source.ToShape());
  conv.destination = LiftedDims(shape.Output().ToShape());
  DescribeWeights(graph.value(node.inputs[1]), &conv);
  conv.has_bias = HasInput(node, 2);
  conv.source_type = InputType(graph, node, 0);
  conv.weights_type = InputType(graph, node, 1);
  if (conv.has_bias) conv.bias_type = InputType(graph, node, 2);
  conv.destination_type = OutputType(graph, node);
  conv.post_ops = *std::move(post_ops);
  if (conv.groups == 1 && !transposed) conv.sum = FindAddOfSameShape(conv.post_ops);
  LayDownColumn(&conv);
  return conv;
}

bool TakesOwnConvolution(const Graph& graph, const Node& node, bool narrow) {
  const auto channels_last = [&](ValueId id) {
    const Value& value = graph.value(id);
    return SameOrder(value.type.shape.ToShape(), value.layout, Layout::kChannelsLast);
  };
  const auto is_float = [&](ValueId id) {
    return id == kNoValue || graph.value(id).type.dtype == DType::kFloat32;
  };
  const auto fits = [&](ValueId id) {
    return is_float(id) || (narrow && graph.value(id).type.dtype == DType::kBfloat16);
  };
  return is_float(node.inputs[1]) && (node.num_op_inputs() < 3 || is_float(node.inputs[2])) &&
         std::all_of(node.inputs.begin(), node.inputs.end(), fits) && fits(node.outputs[0]) &&
         graph.constant(node.inputs[1]) != nullptr &&
         graph.value(node.inputs[1]).layout == Layout::kRowMajor &&
         OutputShape(graph, node).ToShape().num_elements() != 0 && channels_last(node.inputs[0]) &&
         channels_last(node.outputs[0]);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareConvolution(const Graph& graph,
                                                                const Node& node,
                                                                const PrepareContext& context,
                                                                const Convolution& conv) {
  DnnlKernelBuilder builder(graph, node, context);
  ASSIGN_OR_RETURN(const auto primitive, builder.Primitive(Key(conv), [&] {
    return conv.transposed ? MakePrimitive<dnnl::deconvolution_forward>(
                                 conv, dnnl::algorithm::deconvolution_direct)
                           : MakePrimitive<dnnl::convolution_forward>(
                                 conv, dnnl::algorithm::convolution_direct);
  }));
  const PostOpDescs descs = OperandDescs(conv);
  constexpr Layout kLayout = Layout::kChannelsLast;
  std::vector<DnnlArgument> arguments(3);
  ASSIGN_OR_RETURN(arguments[0],
                   builder.Activation(DNNL_ARG_SRC, 0,
                                      DenseDesc(conv.source, conv.source_type, kLayout), kLayout));
  const memory::desc stored_weights(conv.weights, conv.weights_type, conv.weight_strides);
  ASSIGN_OR_RETURN(arguments[1],
                   builder.Weights(DNNL_ARG_WEIGHTS, 1, stored_weights, primitive->weights));
  arguments[2] = builder.Output(DNNL_ARG_DST, descs.same_shape, kLayout);
  if (conv.has_bias) {
    arguments.push_back(
        builder.Input(DNNL_ARG_BIAS, 2, DenseDesc({conv.destination[1]}, conv.bias_type)));
  }
  std::vector<PostOp> operands = conv.post_ops;
  if (conv.sum >= 0) {
    ASSIGN_OR_RETURN(DnnlArgument added, builder.Activation(0, operands[conv.sum].operand,
                                                            descs.Of(operands[conv.sum]), kLayout));
    RETURN_IF_ERROR(builder.AddReorder(std::move(added), arguments[2]));
    operands[conv.sum].kind = PostOp::Kind::kEltwise;  // it has no argument of its own
  }
  RETURN_IF_ERROR(builder.AppendOperands(operands, descs, kLayout, &arguments));
  builder.AddCall(primitive, std::move(arguments));
  return builder.Build(primitive->implementation);
}

}  // namespace inferd::cpu
