#include "engine/providers/cpu/dnnl_product.h"

#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/providers/cpu/dnnl_kernel_builder.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/panel_kernel.h"

namespace inferd::cpu {
namespace {

using dnnl::memory;

constexpr absl::string_view kMatmul = "matmul";

// The memories of a product as they are stored.
struct ProductDescs {
  memory::desc source;
  memory::desc weights;
  memory::desc computed_weights;  // in the element type of the source
  memory::desc bias;
  PostOpDescs operands;  // same_shape is the destination
};

ProductDescs Describe(const MatrixProduct& product) {
  const size_t rank = product.destination.size();
  memory::dims row(rank, 1);
  row[rank - 1] = product.destination[rank - 1];
  memory::dims batch_row = row;
  batch_row[0] = product.destination[0];
  ProductDescs descs;
  const auto matrix = [](const memory::dims& dims, bool transposed, memory::data_type type) {
    return transposed ? TransposedDesc(dims, type) : DenseDesc(dims, type);
  };
  descs.source = matrix(product.source, product.source_transposed, product.source_type);
  descs.weights = matrix(product.weights, product.weights_transposed, product.weights_type);
  descs.computed_weights = matrix(product.weights, product.weights_transposed, product.source_type);
  if (product.bias >= 0) descs.bias = DenseDesc(row, product.bias_type);
  descs.operands.per_channel = DenseDesc(row, memory::data_type::f32);
  descs.operands.batch_row = DenseDesc(batch_row, memory::data_type::f32);
  descs.operands.same_shape = DenseDesc(product.destination, product.destination_type);
  return descs;
}

dnnl::primitive_attr AttributesOf(const MatrixProduct& product, const ProductDescs& descs) {
  dnnl::post_ops post_ops;
  for (const PostOp& op : product.post_ops) AppendPostOp(op, descs.operands, &post_ops);
  dnnl::primitive_attr attr = DnnlKernelBuilder::UserScratchpad();
  attr.set_post_ops(post_ops);
  if (product.scale != 1) attr.set_output_scales(0, {product.scale});
  return attr;
}

DnnlPrimitive MakeMatmul(const MatrixProduct& product, const ProductDescs& descs,
                         bool pack_weights) {
  const memory::desc weights =
      pack_weights ? memory::desc(product.weights, product.source_type, memory::format_tag::any)
                   : descs.computed_weights;
  const dnnl::matmul::desc desc(descs.source, weights, descs.bias, descs.operands.same_shape);
  const dnnl::matmul::primitive_desc pd(desc, AttributesOf(product, descs), DnnlEngine());
  return {.primitive = dnnl::matmul(pd),
          .weights = pd.weights_desc(),
          .scratchpad = pd.scratchpad_desc(),
          .implementation = pd.impl_info_str()};
}

MatrixProduct WithTypes(const Graph& graph, const Node& node, MatrixProduct product) {
  product.source_type = InputType(graph, node, 0);
  product.weights_type = InputType(graph, node, 1);
  if (product.bias >= 0) product.bias_type = InputType(graph, node, product.bias);
  product.destination_type = OutputType(graph, node);
  return product;
}

std::string TypesKey(const MatrixProduct& product) {
  return absl::StrCat(" t", static_cast<int>(product.source_type), ",",
                      static_cast<int>(product.bias_type), ",",
                      static_cast<int>(product.destination_type));
}

absl::Status CheckStorage(const Graph& graph, ValueId id, Layout layout) {
  const Value& value = graph.value(id);
  if (SameOrder(value.type.shape.ToShape(), value.layout, layout)) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("value ", value.name, " of a matrix product is stored in the wrong order"));
}

absl::Status CheckStorage(const Graph& graph, const Node& node, const MatrixProduct& product) {
  RETURN_IF_ERROR(CheckStorage(graph, node.inputs[0], product.layout));
  for (const PostOp& op : product.post_ops) {
    if (op.kind != PostOp::Kind::kSameShape) continue;
    RETURN_IF_ERROR(CheckStorage(graph, node.inputs[op.operand], product.layout));
  }
  return CheckStorage(graph, node.outputs[0], product.layout);
}

absl::StatusOr<std::shared_ptr<const DnnlPrimitive>> PrimitiveOf(const MatrixProduct& product,
                                                                 const ProductDescs& descs,
                                                                 bool pack_weights,
                                                                 DnnlKernelBuilder& builder) {
  const std::string key = absl::StrCat(
      "matmul ", DimsText(product.source), product.source_transposed ? "t*" : "*",
      pack_weights ? "packed " : (product.weights_transposed ? "t " : ""),
      DimsText(product.weights), " b", product.bias >= 0, " x",
      std::bit_cast<uint32_t>(product.scale), TypesKey(product), PostOpsKey(product.post_ops));
  return builder.Primitive(key, [&] { return MakeMatmul(product, descs, pack_weights); });
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareMatmul(const Graph& graph, const Node& node,
                                                           const PrepareContext& context,
                                                           const MatrixProduct& product,
                                                           absl::string_view text) {
  const ProductDescs descs = Describe(product);
  const bool pack_weights = graph.constant(node.inputs[1]) != nullptr;
  DnnlKernelBuilder builder(graph, node, context);
  ASSIGN_OR_RETURN(const auto primitive, PrimitiveOf(product, descs, pack_weights, builder));
  std::vector<DnnlArgument> arguments(3);
  arguments[0] = builder.Input(DNNL_ARG_SRC, 0, descs.source);
  ASSIGN_OR_RETURN(arguments[1],
                   builder.Weights(DNNL_ARG_WEIGHTS, 1, descs.weights, primitive->weights));
  arguments[2] = builder.Output(DNNL_ARG_DST, descs.operands.same_shape, product.layout);
  if (product.bias >= 0) {
    arguments.push_back(builder.Input(DNNL_ARG_BIAS, product.bias, descs.bias));
  }
  RETURN_IF_ERROR(
      builder.AppendOperands(product.post_ops, descs.operands, product.layout, &arguments));
  builder.AddCall(primitive, std::move(arguments));
  return builder.Build(absl::StrCat(text, primitive->implementation));
}

}  // namespace

void TakeBias(MatrixProduct* product) {
  if (product->bias >= 0 || product->scale != 1 || product->post_ops.empty()) return;
  const PostOp& first = product->post_ops.front();
  if (first.kind != PostOp::Kind::kPerChannel || first.algorithm != dnnl::algorithm::binary_add) {
    return;
  }
  product->bias = first.operand;
  product->post_ops.erase(product->post_ops.begin());
}

std::vector<std::string> ProductCandidates(const Graph& graph, const Node& node,
                                           const MatrixProduct& product) {
  // Other nodes may read the packed rows as the own kernel has them.
  if (!TakesPanels(graph, node, product) || graph.Consumers()[node.inputs[1]].size() > 1) return {};
  // One row waits for the weights in every kernel: packing them twice would only take memory.
  if (product.source[0] == 1) return {};
  return {std::string(kPanels), std::string(kMatmul)};
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareProduct(const Graph& graph, const Node& node,
                                                            const PrepareContext& context,
                                                            const MatrixProduct& untyped,
                                                            absl::string_view text) {
  const MatrixProduct product = WithTypes(graph, node, untyped);
  RETURN_IF_ERROR(CheckStorage(graph, node, product));
  if (context.candidate != kMatmul && TakesPanels(graph, node, product)) {
    return PreparePanels(graph, node, context, product, text);
  }
  return PrepareMatmul(graph, node, context, product, text);
}

}  // namespace inferd::cpu
