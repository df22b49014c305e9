#include "engine/providers/cpu/dnnl_epilogue.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/providers/cpu/dnnl_types.h"

namespace inferd::cpu {
namespace {

using dnnl::algorithm;

PostOp Eltwise(algorithm algorithm, float alpha = 0, float beta = 0) {
  return {PostOp::Kind::kEltwise, algorithm, alpha, beta, -1};
}

// The activations that oneDNN computes to about 1e-6; false for other operators.
bool AppendActivation(const EpilogueStep& step, std::vector<PostOp>* ops) {
  const absl::string_view name = step.op->name;
  const Attributes& attributes = step.attributes;
  const auto number = [&](absl::string_view key, float missing) {
    return attributes.Float(key, missing);
  };
  if (name == "Relu") {
    ops->push_back(Eltwise(algorithm::eltwise_relu));
  } else if (name == "LeakyRelu") {
    ops->push_back(Eltwise(algorithm::eltwise_relu, number("alpha", 0.01f)));
  } else if (name == "Clip") {
    const float low = number("min", std::numeric_limits<float>::lowest());
    const float high = number("max", std::numeric_limits<float>::max());
    if (!(low <= high)) return false;
    ops->push_back(Eltwise(algorithm::eltwise_clip, low, high));
  } else if (name == "Sigmoid") {
    ops->push_back(Eltwise(algorithm::eltwise_logistic));
  } else if (name == "Tanh") {
    ops->push_back(Eltwise(algorithm::eltwise_tanh));
  } else if (name == "HardSwish") {
    ops->push_back(Eltwise(algorithm::eltwise_hardswish));
  } else if (name == "HardSigmoid") {
    AppendLinear(number("alpha", 0.2f), number("beta", 0.5f), ops);
    ops->push_back(Eltwise(algorithm::eltwise_clip, 0, 1));
  } else if (name == "Elu") {
    ops->push_back(Eltwise(algorithm::eltwise_elu, number("alpha", 1)));
  } else if (name == "Gelu") {
    const bool tanh = attributes.String("approximate", "none") == "tanh";
    ops->push_back(Eltwise(tanh ? algorithm::eltwise_gelu_tanh : algorithm::eltwise_gelu_erf));
  } else if (name == "FastGelu" && step.operand < 0) {
    ops->push_back(Eltwise(algorithm::eltwise_gelu_tanh));
  } else if (name == "Swish") {
    ops->push_back(Eltwise(algorithm::eltwise_swish, number("alpha", 1)));
  } else if (name == "QuickGelu") {
    ops->push_back(Eltwise(algorithm::eltwise_swish, number("alpha", 1.702f)));
  } else if (name == "Mish") {
    ops->push_back(Eltwise(algorithm::eltwise_mish));
  } else {
    return false;
  }
  return true;
}

// x * a + b for a constant of one element.
bool AppendScalar(const EpilogueStep& step, float value, std::vector<PostOp>* ops) {
  const absl::string_view name = step.op->name;
  float scale = 1;
  float shift = 0;
  if (name == "Add") {
    shift = value;
  } else if (name == "Sub") {
    scale = step.operand_first ? -1.0f : 1.0f;
    shift = step.operand_first ? value : -value;
  } else if (name == "Mul") {
    scale = value;
  } else if (name == "Div" && !step.operand_first && std::isnormal(1 / value)) {
    scale = 1 / value;
  } else {
    return false;
  }
  AppendLinear(scale, shift, ops);
  return true;
}

// [B,1,...,1,N] of the output's rank, at least 3.
bool IsBatchRow(const SymbolicShape& operand, const SymbolicShape& output) {
  const int rank = output.rank();
  if (operand.rank() != rank || rank < 3) return false;
  for (int i = 1; i < rank - 1; ++i) {
    if (!operand[i].Is(1)) return false;
  }
  return operand[0].SameAs(output[0]) && operand[rank - 1].SameAs(output[rank - 1]);
}

bool AppendBinary(const Graph& graph, const Node& node, const EpilogueStep& step, int channel_axis,
                  std::vector<PostOp>* ops) {
  if (step.operand < 0 || step.operand >= static_cast<int>(node.inputs.size())) return false;
  const ValueId id = node.inputs[step.operand];
  if (id == kNoValue) return false;
  const ValueType& type = graph.value(id).type;
  const SymbolicShape& output = graph.value(node.outputs[0]).type.shape;
  const bool narrow = type.dtype == DType::kBfloat16;
  if (type.dtype != DType::kFloat32 && !narrow) return false;
  if (!type.shape.has_rank() || !output.has_rank()) return false;
  if (type.shape.rank() > output.rank()) return false;
  const Tensor* constant = graph.constant(id);
  if (constant != nullptr && constant->num_elements() == 1) {
    if (narrow) return false;
    return AppendScalar(step, *constant->data<float>(), ops);
  }
  PostOp op;
  op.operand = step.operand;
  op.type = DnnlDataType(type.dtype);
  const absl::string_view name = step.op->name;
  if (name == "Add") {
    op.algorithm = algorithm::binary_add;
  } else if (name == "Mul") {
    op.algorithm = algorithm::binary_mul;
  } else if (name == "Sub") {
    op.algorithm = step.operand_first ? algorithm::binary_add : algorithm::binary_sub;
  } else if (name == "Div" && !step.operand_first) {
    op.algorithm = algorithm::binary_div;
  } else {
    return false;
  }
  if (type.shape.SameAs(output)) {
    op.kind = PostOp::Kind::kSameShape;
  } else if (IsPerChannel(type.shape, output, channel_axis)) {
    op.kind = PostOp::Kind::kPerChannel;
  } else if (channel_axis == output.rank() - 1 && IsBatchRow(type.shape, output)) {
    op.kind = PostOp::Kind::kBatchRow;
  } else {
    return false;
  }
  // operand - x is -x + operand.
  if (name == "Sub" && step.operand_first) AppendLinear(-1, 0, ops);
  ops->push_back(op);
  return true;
}

}  // namespace

bool IsPerChannel(const SymbolicShape& operand, const SymbolicShape& output, int axis) {
  if (!operand.has_rank() || operand.rank() > output.rank()) return false;
  const int lead = output.rank() - operand.rank();
  if (axis < lead) return false;
  for (int i = 0; i < operand.rank(); ++i) {
    const bool fits = lead + i == axis ? operand[i].SameAs(output[axis]) : operand[i].Is(1);
    if (!fits) return false;
  }
  return true;
}

std::optional<std::vector<PostOp>> PlanPostOps(const Graph& graph, const Node& node,
                                               int channel_axis) {
  // oneDNN takes 32; a longer chain than this is not made of activations and biases.
  constexpr size_t kMaxPostOps = 12;
  std::vector<PostOp> ops;
  for (const EpilogueStep& step : node.epilogue) {
    const bool ok = step.operand < 0 ? AppendActivation(step, &ops)
                                     : AppendBinary(graph, node, step, channel_axis, &ops);
    if (!ok || ops.size() > kMaxPostOps) return std::nullopt;
  }
  if (!IsSafeChain(ops)) return std::nullopt;
  return ops;
}

void AppendLinear(float scale, float shift, std::vector<PostOp>* ops) {
  if (!ops->empty() && ops->back().algorithm == algorithm::eltwise_linear) {
    PostOp& last = ops->back();
    last.alpha *= scale;
    last.beta = last.beta * scale + shift;
  } else {
    ops->push_back(Eltwise(algorithm::eltwise_linear, scale, shift));
  }
}

bool IsSafeChain(const std::vector<PostOp>& ops) {
  for (size_t i = 0; i < ops.size(); ++i) {
    const PostOp& op = ops[i];
    if (!std::isfinite(op.alpha) || !std::isfinite(op.beta)) return false;
    const bool has_constants = op.algorithm != algorithm::eltwise_relu || op.alpha != 0;
    if (op.kind != PostOp::Kind::kEltwise || !has_constants) continue;
    for (size_t j = 0; j < ops.size(); ++j) {
      if (j != i && ops[j].algorithm == op.algorithm) return false;
    }
  }
  return true;
}

dnnl::memory::desc PostOpDescs::Of(const PostOp& op) const {
  dnnl::memory::desc desc = op.kind == PostOp::Kind::kPerChannel ? per_channel
                            : op.kind == PostOp::Kind::kBatchRow ? batch_row
                                                                 : same_shape;
  desc.data.data_type = dnnl::memory::convert_to_c(op.type);
  return desc;
}

void AppendPostOp(const PostOp& op, const PostOpDescs& descs, dnnl::post_ops* post_ops) {
  if (op.kind == PostOp::Kind::kEltwise) {
    post_ops->append_eltwise(1.0f, op.algorithm, op.alpha, op.beta);
  } else {
    post_ops->append_binary(op.algorithm, descs.Of(op));
  }
}

std::string PostOpsKey(const std::vector<PostOp>& ops) {
  std::string key;
  for (const PostOp& op : ops) {
    // Exact bits: two factors that print alike are not the same primitive.
    absl::StrAppend(&key, "+", static_cast<int>(op.kind), ",", static_cast<int>(op.algorithm), ",",
                    std::bit_cast<uint32_t>(op.alpha), ",", std::bit_cast<uint32_t>(op.beta), ",",
                    static_cast<int>(op.type));
  }
  return key;
}

std::string EpilogueText(const Node& node) {
  std::string text;
  for (const EpilogueStep& step : node.epilogue) absl::StrAppend(&text, "+", step.op->name);
  return text;
}

}  // namespace inferd::cpu
