#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"
#include "engine/ops/input_shapes.h"
#include "engine/ops/masked_attention.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kQuery, kKey, kValue, kBias, kMask, kAdded, kPastKey, kPastValue, kInputs };
enum Output { kY, kPresentKey, kPresentValue };

// How the keys and values come in.
enum class Form {
  kPacked,      // query [batch,rows,heads,3,size] holds all three
  kPackedKeys,  // key [batch,keys,heads,2,size] holds the values too
  kFlat,        // [batch,keys,heads*size], each its own
  kHeads,       // [batch,heads,keys,size]: of cross attention, to which no bias is added
};

struct MultiHeadShape {
  Form form = Form::kFlat;
  Dim batch, rows, new_keys, past, depth, width;
  int64_t heads = 0;

  Dim keys() const { return past + new_keys; }
  Dim columns() const { return depth * Dim(heads); }
  Dim v_columns() const { return width * Dim(heads); }
  SymbolicShape Output() const { return {batch, rows, v_columns()}; }
  SymbolicShape PresentKey() const { return {batch, Dim(heads), keys(), depth}; }
  SymbolicShape PresentValue() const { return {batch, Dim(heads), keys(), width}; }
};

// By input: null where absent.
using Shapes = const SymbolicShape* const (&)[kInputs];

absl::StatusOr<Form> FindForm(Shapes inputs) {
  if (inputs[kKey] == nullptr) {
    if (inputs[kValue] == nullptr) return Form::kPacked;
    return absl::InvalidArgumentError("value is given without key");
  }
  if (inputs[kValue] == nullptr) return Form::kPackedKeys;
  return inputs[kKey]->rank() == 4 ? Form::kHeads : Form::kFlat;
}

// The head size of rows of `heads` heads side by side.
absl::Status ReadHeadSize(absl::string_view name, const Dim& columns, int64_t heads, Dim* size) {
  if (!columns.known()) return absl::OkStatus();
  if (columns.value % heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat("the rows of ", name, " have ", columns.value,
                                                   " elements, which ", heads,
                                                   " heads do not divide"));
  }
  return UnifyDim(absl::StrCat("head size of ", name), Dim(columns.value / heads), size);
}

absl::Status ReadOperands(Shapes inputs, MultiHeadShape* shape) {
  Dim heads = shape->heads, q_columns, k_columns, v_columns;
  if (shape->form == Form::kPacked) {
    Dim three = 3;
    RETURN_IF_ERROR(MatchDims("query", *inputs[kQuery],
                              {&shape->batch, &shape->rows, &heads, &three, &shape->depth}));
    shape->new_keys = shape->rows;
    shape->width = shape->depth;
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(MatchDims("query", *inputs[kQuery], {&shape->batch, &shape->rows, &q_columns}));
  RETURN_IF_ERROR(ReadHeadSize("query", q_columns, shape->heads, &shape->depth));
  if (shape->form == Form::kPackedKeys) {
    Dim two = 2;
    RETURN_IF_ERROR(MatchDims("key", *inputs[kKey],
                              {&shape->batch, &shape->new_keys, &heads, &two, &shape->depth}));
    shape->width = shape->depth;
    return absl::OkStatus();
  }
  if (shape->form == Form::kHeads) {
    RETURN_IF_ERROR(
        MatchDims("key", *inputs[kKey], {&shape->batch, &heads, &shape->new_keys, &shape->depth}));
    return MatchDims("value", *inputs[kValue],
                     {&shape->batch, &heads, &shape->new_keys, &shape->width});
  }
  RETURN_IF_ERROR(MatchDims("key", *inputs[kKey], {&shape->batch, &shape->new_keys, &k_columns}));
  RETURN_IF_ERROR(ReadHeadSize("key", k_columns, shape->heads, &shape->depth));
  RETURN_IF_ERROR(
      MatchDims("value", *inputs[kValue], {&shape->batch, &shape->new_keys, &v_columns}));
  return ReadHeadSize("value", v_columns, shape->heads, &shape->width);
}

absl::Status ReadPast(Shapes inputs, MultiHeadShape* shape) {
  shape->past = 0;
  if ((inputs[kPastKey] == nullptr) != (inputs[kPastValue] == nullptr)) {
    return absl::InvalidArgumentError("past_key and past_value must be given together");
  }
  if (inputs[kPastKey] == nullptr) return absl::OkStatus();
  Dim heads = shape->heads;
  shape->past = Dim::Unknown();
  RETURN_IF_ERROR(MatchDims("past_key", *inputs[kPastKey],
                            {&shape->batch, &heads, &shape->past, &shape->depth}));
  return MatchDims("past_value", *inputs[kPastValue],
                   {&shape->batch, &heads, &shape->past, &shape->width});
}

absl::StatusOr<MultiHeadShape> Resolve(const Attributes& attributes, Shapes inputs) {
  MultiHeadShape shape;
  ASSIGN_OR_RETURN(shape.heads, HeadCount(attributes, "num_heads"));
  ASSIGN_OR_RETURN(shape.form, FindForm(inputs));
  RETURN_IF_ERROR(ReadOperands(inputs, &shape));
  RETURN_IF_ERROR(ReadPast(inputs, &shape));
  if (inputs[kBias] != nullptr) {
    Dim size = shape.columns() + shape.columns() + shape.v_columns();
    RETURN_IF_ERROR(MatchDims("bias", *inputs[kBias], {&size}));
  }
  if (inputs[kMask] != nullptr) {
    RETURN_IF_ERROR(CheckKeyMask(*inputs[kMask], shape.batch, shape.rows, shape.keys()));
  }
  if (inputs[kAdded] != nullptr) {
    RETURN_IF_ERROR(
        CheckAddedBias(*inputs[kAdded], shape.batch, Dim(shape.heads), shape.rows, shape.keys()));
  }
  return shape;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(
      CheckInputType(context, kQuery, {DType::kFloat32, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(
      CheckSameTypes(context, {kQuery, kKey, kValue, kBias, kAdded, kPastKey, kPastValue}));
  RETURN_IF_ERROR(CheckInputType(context, kMask, {DType::kInt32}));
  const InputShapes<kInputs> inputs(context);
  // Without the key's rank its form is not known.
  const bool known = inputs[kKey] == nullptr || inputs[kKey]->has_rank();
  const DType dtype = context.dtype(kQuery);
  if (!known) {
    context.SetOutput(kY, dtype, SymbolicShape::OfRank(3));
    context.SetOutput(kPresentKey, dtype, SymbolicShape::OfRank(4));
    context.SetOutput(kPresentValue, dtype, SymbolicShape::OfRank(4));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const MultiHeadShape shape, Resolve(context.attributes(), inputs.pointers()));
  context.SetOutput(kY, dtype, shape.Output());
  context.SetOutput(kPresentKey, dtype, shape.PresentKey());
  context.SetOutput(kPresentValue, dtype, shape.PresentValue());
  return absl::OkStatus();
}

// How Q, K or V lies in its input.
struct Operand {
  int input = 0;
  HeadLayout layout;
  int64_t rows = 0;
  int64_t size = 0;
  int64_t bias_at = -1;  // its part of the bias; -1 where none is added
};

// Part `part` of the `parts` vectors that a packed input has of each head.
Operand PackedOperand(int input, int64_t part, int64_t parts, int64_t rows, int64_t heads,
                      int64_t size) {
  return {input,
          {rows * heads * parts * size, parts * size, heads * parts * size, part * size},
          rows,
          size};
}

std::array<Operand, 3> FindOperands(const MultiHeadShape& shape) {
  const int64_t heads = shape.heads, rows = shape.rows.value, keys = shape.new_keys.value;
  const int64_t depth = shape.depth.value, width = shape.width.value;
  std::array<Operand, 3> operands;
  operands[0] = {kQuery, HeadLayout::RowFirst(heads, rows, depth), rows, depth};
  if (shape.form == Form::kPacked) {
    for (int part : {0, 1, 2}) {
      operands[part] = PackedOperand(kQuery, part, 3, rows, heads, depth);
    }
  } else if (shape.form == Form::kPackedKeys) {
    for (int part : {0, 1}) {
      operands[1 + part] = PackedOperand(kKey, part, 2, keys, heads, depth);
    }
  } else if (shape.form == Form::kHeads) {
    operands[1] = {kKey, HeadLayout::HeadFirst(heads, keys, depth), keys, depth};
    operands[2] = {kValue, HeadLayout::HeadFirst(heads, keys, width), keys, width};
  } else {
    operands[1] = {kKey, HeadLayout::RowFirst(heads, keys, depth), keys, depth};
    operands[2] = {kValue, HeadLayout::RowFirst(heads, keys, width), keys, width};
  }
  for (int i = 0; i < (shape.form == Form::kHeads ? 1 : 3); ++i) {
    operands[i].bias_at = i * heads * depth;
  }
  return operands;
}

// The operand's rows as [batch, heads, rows, size] with its bias added.
template <typename T>
std::vector<T> HeadRows(const KernelContext& context, const MultiHeadShape& shape,
                        const Operand& operand) {
  const T* bias = context.has_input(kBias) && operand.bias_at >= 0
                      ? context.input(kBias).data<T>() + operand.bias_at
                      : nullptr;
  const T* data = context.input(operand.input).data<T>();
  std::vector<T> values;
  for (int64_t b = 0; b < shape.batch.value; ++b) {
    for (int64_t h = 0; h < shape.heads; ++h) {
      const size_t first = values.size();
      AppendRows(data, operand.layout, b, h, operand.rows, operand.size, &values);
      for (size_t i = first; bias != nullptr && i < values.size(); ++i) {
        const float added = bias[h * operand.size + (i - first) % operand.size];
        values[i] = static_cast<T>(static_cast<float>(values[i]) + added);
      }
    }
  }
  return values;
}

template <typename T>
absl::Status Run(KernelContext& context, const MultiHeadShape& shape) {
  MaskedAttention<T> attention;
  attention.batch = shape.batch.value;
  attention.heads = shape.heads;
  attention.depth = shape.depth.value;
  attention.width = shape.width.value;
  ReadMaskedAttributes(context.attributes(), &attention);
  std::array<std::vector<T>, 3> copies;
  typename MaskedAttention<T>::Operand* const given[] = {&attention.q, &attention.k, &attention.v};
  const std::array<Operand, 3> operands = FindOperands(shape);
  for (int i : {0, 1, 2}) {
    copies[i] = HeadRows<T>(context, shape, operands[i]);
    *given[i] = {copies[i].data(),
                 HeadLayout::HeadFirst(shape.heads, operands[i].rows, operands[i].size),
                 operands[i].rows};
  }
  if (context.has_input(kPastKey)) {
    const int64_t past = shape.past.value;
    attention.past_k = {context.input(kPastKey).data<T>(),
                        HeadLayout::HeadFirst(shape.heads, past, attention.depth), past};
    attention.past_v = {context.input(kPastValue).data<T>(),
                        HeadLayout::HeadFirst(shape.heads, past, attention.width), past};
  }
  if (context.has_input(kMask)) attention.mask = &context.input(kMask);
  if (context.has_input(kAdded)) attention.added = &context.input(kAdded);
  const std::pair<SymbolicShape, T**> outputs[] = {{shape.Output(), &attention.y},
                                                   {shape.PresentKey(), &attention.present_k},
                                                   {shape.PresentValue(), &attention.present_v}};
  for (int i = kY; i <= kPresentValue; ++i) {
    if (!context.wants_output(i)) continue;
    ASSIGN_OR_RETURN(Tensor * output, context.Output(i, DTypeOf<T>(), outputs[i].first.ToShape()));
    *outputs[i].second = output->mutable_data<T>();
  }
  return RunMaskedAttention(attention, context.limit_bytes());
}

absl::Status Compute(KernelContext& context) {
  const InputShapes<kInputs> inputs(context);
  ASSIGN_OR_RETURN(const MultiHeadShape shape, Resolve(context.attributes(), inputs.pointers()));
  return DispatchTypes<float, Float16, Bfloat16>(context.input(kQuery).dtype(), [&](auto tag) {
    return Run<typename decltype(tag)::type>(context, shape);
  });
}

}  // namespace

OpDef MultiHeadAttention() {
  return {.domain = "com.microsoft",
          .name = "MultiHeadAttention",
          .min_inputs = 1,
          .max_inputs = kInputs,
          .max_outputs = 3,
          .attributes = {{"mask_filter_value", AttributeKind::kFloat},
                         {"num_heads", AttributeKind::kInt, true},
                         {"scale", AttributeKind::kFloat},
                         {"unidirectional", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
