// FlexAttention, whose scores and probabilities pass through subgraphs of the model: it becomes the
// products, the softmax and the subgraphs' nodes.
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

enum Input { kQ, kK, kV };

absl::StatusOr<DType> SoftmaxType(const OnnxNode& node, DType dtype) {
  const DType missing = dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  const int64_t code = node.attributes.Int("softmax_precision", static_cast<int64_t>(missing));
  for (DType type : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}) {
    if (code == static_cast<int64_t>(type)) return type;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("attribute softmax_precision is ", code, ", expected a floating-point type"));
}

// Q [batch,heads,queries,depth]; K and V [batch,kv heads,keys,...], heads a multiple of theirs.
absl::StatusOr<DType> CheckInputs(const OnnxNode& node, const ConversionContext& context) {
  const char* const names[] = {"Q", "K", "V"};
  if (node.inputs.size() != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.inputs.size(), " inputs; expected 3"));
  }
  const DType dtype = node.has_input(kQ) ? context.type(node.inputs[kQ]).dtype : DType::kInvalid;
  if (!IsFloatingPoint(dtype)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Q has element type ", DTypeName(dtype), ", expected a floating-point type"));
  }
  for (int i : {kQ, kK, kV}) {
    if (!node.has_input(i)) return absl::InvalidArgumentError(absl::StrCat(names[i], " is absent"));
    const ValueType& type = context.type(node.inputs[i]);
    const bool known = type.dtype != DType::kInvalid;
    if (!type.is_tensor() || (known && type.dtype != dtype) ||
        (type.shape.has_rank() && type.shape.rank() != 4)) {
      return absl::InvalidArgumentError(absl::StrCat(names[i], " is ", type.ToString(),
                                                     ", expected a ", DTypeName(dtype),
                                                     " tensor of rank 4"));
    }
  }
  return dtype;
}

absl::StatusOr<ValueId> CastTo(DType dtype, ValueId value, ConversionContext& context) {
  if (context.type(value).dtype == dtype) return value;
  Attributes attributes;
  attributes.Set("to", static_cast<int64_t>(dtype));
  return context.Emit("Cast", {value}, attributes);
}

absl::StatusOr<ValueId> ShapePart(ValueId value, int64_t start, int64_t end,
                                  ConversionContext& context) {
  Attributes attributes;
  attributes.Set("start", start);
  attributes.Set("end", end);
  return context.Emit("Shape", {value}, attributes);
}

// The square root of the scale, which Q and K are both multiplied by.
absl::StatusOr<ValueId> RootOfScale(const OnnxNode& node, DType dtype, ConversionContext& context) {
  if (node.attributes.Has("scale")) {
    return context.FloatScalar(dtype, std::sqrt(node.attributes.Float("scale", 1)));
  }
  ASSIGN_OR_RETURN(const ValueId depth, ShapePart(node.inputs[kQ], 3, 4, context));
  ASSIGN_OR_RETURN(ValueId root, CastTo(DType::kFloat32, depth, context));
  ASSIGN_OR_RETURN(root, context.Emit("Sqrt", {root}));
  ASSIGN_OR_RETURN(root, context.Emit("Reciprocal", {root}));
  ASSIGN_OR_RETURN(root, context.Emit("Sqrt", {root}));
  return CastTo(dtype, root, context);
}

// K or V with every head repeated until there are as many as in Q.
absl::StatusOr<ValueId> RepeatHeads(ValueId q, ValueId value, ConversionContext& context) {
  const SymbolicShape& q_shape = context.type(q).shape;
  const SymbolicShape& shape = context.type(value).shape;
  if (q_shape.has_rank() && shape.has_rank()) {
    const Dim &wanted = q_shape[1], &given = shape[1];
    if (wanted.SameAs(given)) return value;
    if (wanted.known() && given.known() && (given.value < 1 || wanted.value % given.value != 0)) {
      return absl::InvalidArgumentError(absl::StrCat(
          wanted.value, " query heads are no multiple of ", given.value, " key or value heads"));
    }
  }
  ASSIGN_OR_RETURN(const ValueId heads, ShapePart(q, 1, 2, context));
  ASSIGN_OR_RETURN(const ValueId own_heads, ShapePart(value, 1, 2, context));
  ASSIGN_OR_RETURN(const ValueId batch, ShapePart(value, 0, 1, context));
  ASSIGN_OR_RETURN(const ValueId matrix, ShapePart(value, 2, 4, context));
  ASSIGN_OR_RETURN(const ValueId repeats, context.Emit("Div", {heads, own_heads}));
  Attributes first_axis;
  first_axis.Set("axis", int64_t{0});
  const ValueId ones = context.Int64s({1, 1});
  ASSIGN_OR_RETURN(const ValueId spread, context.Emit("Concat", {repeats, ones}, first_axis));
  ASSIGN_OR_RETURN(const ValueId shape_out,
                   context.Emit("Concat", {batch, heads, matrix}, first_axis));
  ASSIGN_OR_RETURN(ValueId result, context.Emit("Unsqueeze", {value, context.Int64s({2})}));
  ASSIGN_OR_RETURN(result, context.Emit("Expand", {result, spread}));
  return context.Emit("Reshape", {result, shape_out});
}

// What the subgraph makes of `value`; `value` itself without that subgraph.
absl::StatusOr<ValueId> Modify(const OnnxNode& node, absl::string_view name, ValueId value,
                               ConversionContext& context) {
  const auto found = node.subgraphs.find(std::string_view(name.data(), name.size()));
  if (found == node.subgraphs.end()) return value;
  const Graph& body = *found->second;
  const size_t inputs = body.inputs().size() - node.captured.size();
  if (inputs != 1 || body.outputs().size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat("its subgraph ", name, " has ", inputs,
                                                   " inputs and ", body.outputs().size(),
                                                   " outputs; expected one of each"));
  }
  const DType declared = body.value(body.inputs()[0]).type.dtype;
  const DType given = context.type(value).dtype;
  if (declared != DType::kInvalid && declared != given) {
    return absl::InvalidArgumentError(absl::StrCat(
        "its subgraph ", name, " takes ", DTypeName(declared), ", given is ", DTypeName(given)));
  }
  std::vector<ValueId> arguments = {value};
  arguments.insert(arguments.end(), node.captured.begin(), node.captured.end());
  ASSIGN_OR_RETURN(const std::vector<ValueId> results, context.Inline(body, arguments));
  return results[0];
}

absl::Status ExpandFlexAttention(OnnxNode& node, ConversionContext& context) {
  ASSIGN_OR_RETURN(const DType dtype, CheckInputs(node, context));
  ASSIGN_OR_RETURN(const DType softmax_type, SoftmaxType(node, dtype));
  ASSIGN_OR_RETURN(const ValueId root, RootOfScale(node, dtype, context));
  const ValueId q = node.inputs[kQ];
  ASSIGN_OR_RETURN(ValueId k, RepeatHeads(q, node.inputs[kK], context));
  ASSIGN_OR_RETURN(ValueId v, RepeatHeads(q, node.inputs[kV], context));
  ASSIGN_OR_RETURN(const ValueId scaled_q, context.Emit("Mul", {q, root}));
  ASSIGN_OR_RETURN(k, context.Emit("Mul", {k, root}));
  Attributes transposed, last_axis;
  transposed.Set("perm", std::vector<int64_t>{0, 1, 3, 2});
  last_axis.Set("axis", int64_t{-1});
  ASSIGN_OR_RETURN(k, context.Emit("Transpose", {k}, transposed));
  ASSIGN_OR_RETURN(ValueId scores, context.Emit("MatMul", {scaled_q, k}));
  ASSIGN_OR_RETURN(scores, CastTo(softmax_type, scores, context));
  ASSIGN_OR_RETURN(scores, Modify(node, "score_mod", scores, context));
  ASSIGN_OR_RETURN(ValueId shares, context.Emit("Softmax", {scores}, last_axis));
  ASSIGN_OR_RETURN(shares, Modify(node, "prob_mod", shares, context));
  ASSIGN_OR_RETURN(v, CastTo(softmax_type, v, context));
  ASSIGN_OR_RETURN(const ValueId y, context.Emit("MatMul", {shares, v}));
  Attributes to_input_type;
  to_input_type.Set("to", static_cast<int64_t>(dtype));
  node = {.name = node.name,
          .op_type = "Cast",
          .inputs = {y},
          .outputs = node.outputs,
          .attributes = to_input_type};
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"ai.onnx.preview", "FlexAttention", 1 << 30, ExpandFlexAttention},
};

}  // namespace

absl::Span<const Conversion> FlexAttentionConversions() { return kRows; }

}  // namespace inferd
