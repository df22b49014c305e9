#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"
#include "engine/ops/input_shapes.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kQuery, kKey, kValue, kPast, kDecay, kBeta, kInputs };
enum Output { kY, kPresent };

// query [batch,sequence,q_heads*depth], key [batch,sequence,kv_heads*depth], value
// [batch,sequence,kv_heads*width], states [batch,kv_heads,depth,width].
struct LinearAttentionShape {
  Dim batch, sequence, depth, width;
  int64_t q_heads = 0, kv_heads = 0;
  Dim decays;  // of a token: kv_heads or kv_heads*depth
  Dim betas;   // of a token: kv_heads or 1

  SymbolicShape Output() const { return {batch, sequence, Dim(q_heads) * width}; }
  SymbolicShape State() const { return {batch, Dim(kv_heads), depth, width}; }
};

// Which of the four recurrences.
struct UpdateRule {
  bool gated = false;  // the state decays
  bool delta = false;  // only what the state does not yet say of the key is written
};

absl::StatusOr<UpdateRule> ReadRule(const Attributes& attributes, bool has_decay, bool has_beta) {
  const std::string name = attributes.String("update_rule", "gated_delta");
  UpdateRule rule;
  rule.gated = name == "gated" || name == "gated_delta";
  rule.delta = name == "delta" || name == "gated_delta";
  if (!rule.gated && !rule.delta && name != "linear") {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute update_rule is \"", name,
                     "\", expected \"linear\", \"gated\", \"delta\" or \"gated_delta\""));
  }
  if (rule.gated != has_decay || rule.delta != has_beta) {
    return absl::InvalidArgumentError(
        absl::StrCat("update rule ", name, " takes ", rule.gated ? "a" : "no", " decay and ",
                     rule.delta ? "a" : "no", " beta; given are ", has_decay ? "a" : "no",
                     " decay and ", has_beta ? "a" : "no", " beta"));
  }
  return rule;
}

// `size` / heads, for a last dimension of heads side by side.
absl::StatusOr<Dim> PerHead(absl::string_view name, const Dim& size, int64_t heads) {
  if (!size.known()) return Dim::Unknown();
  if (size.value % heads == 0) return Dim(size.value / heads);
  return absl::InvalidArgumentError(absl::StrCat("the rows of ", name, " have ", size.value,
                                                 " elements, which ", heads,
                                                 " heads do not divide"));
}

absl::Status CheckGates(const SymbolicShape* decay, const SymbolicShape* beta,
                        LinearAttentionShape* shape) {
  const Dim heads = shape->kv_heads;
  if (decay != nullptr) {
    RETURN_IF_ERROR(MatchDims("decay", *decay, {&shape->batch, &shape->sequence, &shape->decays}));
    const Dim each = heads * shape->depth;
    if (shape->decays.known() && each.known() && !shape->decays.SameAs(heads) &&
        !shape->decays.SameAs(each)) {
      return absl::InvalidArgumentError(absl::StrCat("decay has shape ", decay->ToString(),
                                                     ", expected rows of ", heads.value, " or ",
                                                     each.value));
    }
  }
  if (beta != nullptr) {
    RETURN_IF_ERROR(MatchDims("beta", *beta, {&shape->batch, &shape->sequence, &shape->betas}));
    if (shape->betas.known() && !shape->betas.SameAs(heads) && !shape->betas.Is(1)) {
      return absl::InvalidArgumentError(absl::StrCat("beta has shape ", beta->ToString(),
                                                     ", expected rows of ", heads.value, " or 1"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<LinearAttentionShape> Resolve(const Attributes& attributes,
                                             const SymbolicShape* const (&inputs)[kInputs]) {
  LinearAttentionShape shape;
  shape.q_heads = attributes.Int("q_num_heads", 0);
  shape.kv_heads = attributes.Int("kv_num_heads", 0);
  constexpr int64_t kMostHeads = int64_t{1} << 20;
  if (shape.kv_heads < 1 || shape.q_heads < 1 || shape.q_heads > kMostHeads ||
      shape.q_heads % shape.kv_heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat("attribute q_num_heads is ", shape.q_heads,
                                                   ", expected a multiple of kv_num_heads, ",
                                                   shape.kv_heads));
  }
  Dim q_row, k_row, v_row;
  RETURN_IF_ERROR(MatchDims("query", *inputs[kQuery], {&shape.batch, &shape.sequence, &q_row}));
  RETURN_IF_ERROR(MatchDims("key", *inputs[kKey], {&shape.batch, &shape.sequence, &k_row}));
  RETURN_IF_ERROR(MatchDims("value", *inputs[kValue], {&shape.batch, &shape.sequence, &v_row}));
  ASSIGN_OR_RETURN(shape.depth, PerHead("query", q_row, shape.q_heads));
  ASSIGN_OR_RETURN(const Dim k_depth, PerHead("key", k_row, shape.kv_heads));
  ASSIGN_OR_RETURN(shape.width, PerHead("value", v_row, shape.kv_heads));
  RETURN_IF_ERROR(UnifyDim("head size of key", k_depth, &shape.depth));
  if (inputs[kPast] != nullptr) {
    Dim heads = shape.kv_heads;
    RETURN_IF_ERROR(MatchDims("past_state", *inputs[kPast],
                              {&shape.batch, &heads, &shape.depth, &shape.width}));
  }
  RETURN_IF_ERROR(CheckGates(inputs[kDecay], inputs[kBeta], &shape));
  return shape;
}

absl::Status Infer(InferContext& context) {
  for (int i : {kQuery, kPast}) {
    RETURN_IF_ERROR(
        CheckInputType(context, i, {DType::kFloat32, DType::kFloat16, DType::kBfloat16}));
  }
  RETURN_IF_ERROR(CheckSameTypes(context, {kQuery, kKey, kValue, kDecay, kBeta}));
  RETURN_IF_ERROR(
      ReadRule(context.attributes(), context.has_input(kDecay), context.has_input(kBeta)).status());
  const InputShapes<kInputs> inputs(context);
  ASSIGN_OR_RETURN(const LinearAttentionShape shape,
                   Resolve(context.attributes(), inputs.pointers()));
  context.SetOutput(kY, context.dtype(kQuery), shape.Output());
  context.SetOutput(kPresent, context.dtype(context.has_input(kPast) ? kPast : kQuery),
                    shape.State());
  return absl::OkStatus();
}

// The recurrence over the tokens of one batch entry, in float.
template <typename T>
class Recurrence {
 public:
  Recurrence(const KernelContext& context, const LinearAttentionShape& shape, UpdateRule rule)
      : context_(context), shape_(shape), rule_(rule) {
    const float scale = context.attributes().Float("scale", 0);
    scale_ = scale != 0 ? scale : 1 / std::sqrt(static_cast<float>(shape.depth.value));
  }

  // Key head h at token `token` (counted over the whole batch): the step from one state
  // [depth,width] to the next, then what the query heads that share it read.
  void Step(int64_t token, int64_t h, float* state, T* y) const {
    const int64_t depth = shape_.depth.value, width = shape_.width.value;
    const T* key = Row(kKey, token, shape_.kv_heads, h, depth);
    const T* value = Row(kValue, token, shape_.kv_heads, h, width);
    if (rule_.gated) Decay(token, h, state);
    std::vector<float> written(value, value + width);
    if (rule_.delta) {
      const float beta = *Gate(kBeta, token, shape_.betas.value, shape_.betas.Is(1) ? 0 : h);
      for (int64_t d = 0; d < depth; ++d) {
        for (int64_t m = 0; m < width; ++m) written[m] -= key[d] * state[d * width + m];
      }
      for (float& element : written) element *= beta;
    }
    for (int64_t d = 0; d < depth; ++d) {
      for (int64_t m = 0; m < width; ++m) state[d * width + m] += key[d] * written[m];
    }
    const int64_t group = shape_.q_heads / shape_.kv_heads;
    for (int64_t q = h * group; y != nullptr && q < (h + 1) * group; ++q) Read(token, q, state, y);
  }

 private:
  const T* Row(int input, int64_t token, int64_t heads, int64_t h, int64_t size) const {
    return context_.input(input).data<T>() + (token * heads + h) * size;
  }
  const T* Gate(int input, int64_t token, int64_t count, int64_t i) const {
    return context_.input(input).data<T>() + token * count + i;
  }

  void Decay(int64_t token, int64_t h, float* state) const {
    const int64_t depth = shape_.depth.value, width = shape_.width.value;
    const bool per_head = shape_.decays.Is(shape_.kv_heads);
    for (int64_t d = 0; d < depth; ++d) {
      const T* decay = Gate(kDecay, token, shape_.decays.value, per_head ? h : h * depth + d);
      const float factor = std::exp(static_cast<float>(*decay));
      for (int64_t m = 0; m < width; ++m) state[d * width + m] *= factor;
    }
  }

  void Read(int64_t token, int64_t q, const float* state, T* y) const {
    const int64_t depth = shape_.depth.value, width = shape_.width.value;
    const T* query = Row(kQuery, token, shape_.q_heads, q, depth);
    T* to = y + (token * shape_.q_heads + q) * width;
    std::vector<float> sums(width, 0.0f);
    for (int64_t d = 0; d < depth; ++d) {
      for (int64_t m = 0; m < width; ++m) sums[m] += query[d] * state[d * width + m];
    }
    for (int64_t m = 0; m < width; ++m) to[m] = static_cast<T>(scale_ * sums[m]);
  }

  const KernelContext& context_;
  const LinearAttentionShape& shape_;
  const UpdateRule rule_;
  float scale_ = 1;
};

// The state before the first token, of all batch entries and heads.
absl::StatusOr<std::vector<float>> FirstState(const KernelContext& context, int64_t elements) {
  std::vector<float> state(elements, 0.0f);
  if (!context.has_input(kPast)) return state;
  const Tensor& past = context.input(kPast);
  RETURN_IF_ERROR((DispatchTypes<float, Float16, Bfloat16>(past.dtype(), [&](auto tag) {
    const auto* values = past.data<typename decltype(tag)::type>();
    std::copy(values, values + elements, state.begin());
    return absl::OkStatus();
  })));
  return state;
}

absl::Status StorePresent(KernelContext& context, DType dtype, const Shape& shape,
                          const std::vector<float>& state) {
  if (!context.wants_output(kPresent)) return absl::OkStatus();
  ASSIGN_OR_RETURN(Tensor * present, context.Output(kPresent, dtype, shape));
  return DispatchTypes<float, Float16, Bfloat16>(dtype, [&](auto tag) {
    std::copy(state.begin(), state.end(), present->mutable_data<typename decltype(tag)::type>());
    return absl::OkStatus();
  });
}

absl::Status Compute(KernelContext& context) {
  const InputShapes<kInputs> inputs(context);
  ASSIGN_OR_RETURN(const LinearAttentionShape shape,
                   Resolve(context.attributes(), inputs.pointers()));
  ASSIGN_OR_RETURN(const UpdateRule rule, ReadRule(context.attributes(), context.has_input(kDecay),
                                                   context.has_input(kBeta)));
  const DType dtype = context.input(kQuery).dtype();
  const Shape state_shape = shape.State().ToShape();
  ASSIGN_OR_RETURN(const int64_t elements, state_shape.CheckedElements());
  if (elements > context.limit_bytes() / 4) {
    return absl::ResourceExhaustedError(absl::StrCat("the state ", state_shape.ToString(),
                                                     " takes more than ", context.limit_bytes(),
                                                     " bytes"));
  }
  ASSIGN_OR_RETURN(std::vector<float> state, FirstState(context, elements));
  RETURN_IF_ERROR((DispatchTypes<float, Float16, Bfloat16>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* y = nullptr;
    if (context.wants_output(kY)) {
      ASSIGN_OR_RETURN(Tensor * output, context.Output(kY, dtype, shape.Output().ToShape()));
      y = output->mutable_data<T>();
    }
    const Recurrence<T> recurrence(context, shape, rule);
    const int64_t head_elements = shape.depth.value * shape.width.value;
    for (int64_t i = 0; i < shape.batch.value * shape.sequence.value * shape.kv_heads; ++i) {
      const int64_t token = i / shape.kv_heads, h = i % shape.kv_heads;
      const int64_t b = token / shape.sequence.value;
      recurrence.Step(token, h, state.data() + (b * shape.kv_heads + h) * head_elements, y);
    }
    return absl::OkStatus();
  })));
  return StorePresent(context, context.has_input(kPast) ? context.input(kPast).dtype() : dtype,
                      state_shape, state);
}

}  // namespace

OpDef LinearAttention() {
  return {.name = "LinearAttention",
          .since = 27,
          .min_inputs = 3,
          .max_inputs = 6,
          .max_outputs = 2,
          .attributes = {{"chunk_size", AttributeKind::kInt},
                         {"kv_num_heads", AttributeKind::kInt, true},
                         {"q_num_heads", AttributeKind::kInt, true},
                         {"scale", AttributeKind::kFloat},
                         {"update_rule", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
