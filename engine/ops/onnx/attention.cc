#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/attention_shape.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/scaled_dot_product.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kQ, kK, kV, kMask, kPastKey, kPastValue, kNonpadLengths };
enum Output { kY, kPresentKey, kPresentValue, kScores };

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

absl::Status CheckAttributes(const Attributes& attributes) {
  for (const char* name : {"left_window_size", "right_window_size"}) {
    if (attributes.Int(name, -1) < -1) {
      return absl::InvalidArgumentError(absl::StrCat(
          "attribute ", name, " is ", attributes.Int(name, -1), ", expected -1 or more"));
    }
  }
  const int64_t type = attributes.Int("softmax_precision", 0);
  if (type != 0 &&
      (!IsKnownDType(static_cast<int>(type)) || !IsFloatingPoint(static_cast<DType>(type)))) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute softmax_precision is ", type, ", expected a floating-point type"));
  }
  const int64_t mode = attributes.Int("qk_matmul_output_mode", 0);
  if (mode >= 0 && mode <= 3) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("attribute qk_matmul_output_mode is ", mode, ", expected 0 to 3"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kQ, kK, kPastKey}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kV, kPastValue}));
  RETURN_IF_ERROR(CheckAttributes(context.attributes()));
  const auto shape_of = [&](int i) { return context.has_input(i) ? &context.shape(i) : nullptr; };
  AttentionInputs inputs{shape_of(kQ),
                         shape_of(kK),
                         shape_of(kV),
                         shape_of(kMask),
                         shape_of(kPastKey),
                         shape_of(kPastValue),
                         shape_of(kNonpadLengths)};
  if (!inputs.q->has_rank() && !inputs.k->has_rank() && !inputs.v->has_rank()) {
    context.SetOutput(kY, context.dtype(kQ), SymbolicShape::UnknownRank());
    context.SetOutput(kPresentKey, context.dtype(kK), SymbolicShape::OfRank(4));
    context.SetOutput(kPresentValue, context.dtype(kV), SymbolicShape::OfRank(4));
    context.SetOutput(kScores, context.dtype(kQ), SymbolicShape::OfRank(4));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const AttentionShape shape, ResolveAttention(context.attributes(), inputs));
  context.SetOutput(kY, context.dtype(kQ), shape.Output());
  context.SetOutput(kPresentKey, context.dtype(kK), shape.PresentKey());
  context.SetOutput(kPresentValue, context.dtype(kV), shape.PresentValue());
  context.SetOutput(kScores, context.dtype(kQ), shape.Scores());
  return absl::OkStatus();
}

// Which keys a query may see, apart from attn_mask.
struct Visibility {
  bool causal = false;
  int64_t left = -1;
  int64_t right = -1;

  bool Sees(int64_t position, int64_t key, int64_t valid_keys) const {
    return key < valid_keys && (!causal || key <= position) &&
           (left < 0 || position - key <= left) && (right < 0 || key - position <= right);
  }
};

// What is added to the scores: 0 or -infinity where attn_mask is bool; -infinity behind its end and
// where a query may not look. Used by one thread at a time.
class AttentionBias {
 public:
  static absl::StatusOr<AttentionBias> Make(const KernelContext& context,
                                            const AttentionShape& shape) {
    AttentionBias bias(shape);
    const Attributes& attributes = context.attributes();
    bias.visibility_ = {.causal = attributes.Int("is_causal", 0) != 0,
                        .left = attributes.Int("left_window_size", -1),
                        .right = attributes.Int("right_window_size", -1)};
    if (context.has_input(kMask)) RETURN_IF_ERROR(bias.ReadMask(context.input(kMask)));
    if (context.has_input(kNonpadLengths)) {
      ASSIGN_OR_RETURN(bias.lengths_, context.input(kNonpadLengths).ToInt64s());
    }
    for (int64_t length : bias.lengths_) {
      if (length >= 0 && length <= shape.total().value) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("nonpad_kv_seqlen has ", length, ", expected 0 to ", shape.total().value));
    }
    return bias;
  }

  // For head h of batch entry b, [rows, keys].
  template <typename T>
  std::vector<AccumulatorOf<T>> Of(int64_t b, int64_t h) const {
    const int64_t rows = shape_.q_sequence.value, keys = shape_.total().value;
    const int64_t valid = lengths_.empty() ? keys : lengths_[b];
    const int64_t first = lengths_.empty() ? shape_.past.value : valid - rows;
    std::vector<AccumulatorOf<T>> bias;
    bias.reserve(rows * keys);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < keys; ++j) {
        const bool seen = j < mask_length_ && visibility_.Sees(first + i, j, valid);
        bias.push_back(static_cast<AccumulatorOf<T>>(seen ? MaskAt(b, h, i, j) : kMinusInfinity));
      }
    }
    return bias;
  }

 private:
  explicit AttentionBias(const AttentionShape& shape)
      : shape_(shape), mask_length_(shape.total().value) {}

  absl::Status ReadMask(const Tensor& mask) {
    ASSIGN_OR_RETURN(mask_, ToDoubles(mask));
    if (mask.dtype() == DType::kBool) {
      for (double& value : mask_) value = value != 0 ? 0 : kMinusInfinity;
    }
    const Shape::Dims strides = mask.shape().RowMajorStrides();
    for (int i = 0; i < mask.rank(); ++i) {
      strides_[4 - mask.rank() + i] = mask.dim(i) == 1 ? 0 : strides[i];
    }
    strides_[3] = 1;
    mask_length_ = mask.dim(mask.rank() - 1);
    return absl::OkStatus();
  }
  double MaskAt(int64_t b, int64_t h, int64_t i, int64_t j) const {
    if (mask_.empty()) return 0;
    return mask_[b * strides_[0] + h * strides_[1] + i * strides_[2] + j];
  }

  const AttentionShape& shape_;
  Visibility visibility_;
  std::vector<double> mask_;
  int64_t strides_[4] = {0, 0, 0, 0};
  int64_t mask_length_;
  std::vector<int64_t> lengths_;
};

HeadLayout LayoutOf(const AttentionShape& shape, int64_t heads, int64_t rows, int64_t columns) {
  return shape.flat ? HeadLayout::RowFirst(heads, rows, columns)
                    : HeadLayout::HeadFirst(heads, rows, columns);
}

// The keys or values of a head: those of the past, then those given.
template <typename Acc, typename T>
std::vector<Acc> JoinedHead(const KernelContext& context, const AttentionShape& shape, int past,
                            int present, int64_t columns, int64_t b, int64_t h) {
  const int64_t heads = shape.kv_heads.value;
  std::vector<Acc> matrix;
  if (context.has_input(past)) {
    AppendRows(context.input(past).data<T>(),
               HeadLayout::HeadFirst(heads, shape.past.value, columns), b, h, shape.past.value,
               columns, &matrix);
  }
  AppendRows(context.input(present).data<T>(),
             LayoutOf(shape, heads, shape.kv_sequence.value, columns), b, h,
             shape.kv_sequence.value, columns, &matrix);
  return matrix;
}

ScoreSettings ReadSettings(const Attributes& attributes, const AttentionShape& shape) {
  ScoreSettings settings;
  settings.scale = attributes.Has("scale")
                       ? static_cast<double>(attributes.Float("scale", 1))
                       : 1 / std::sqrt(static_cast<double>(shape.head_size.value));
  settings.scale_operands = true;
  settings.softcap = attributes.Float("softcap", 0);
  settings.softmax_type = static_cast<DType>(attributes.Int("softmax_precision", 0));
  settings.stage = static_cast<ScoreStage>(attributes.Int("qk_matmul_output_mode", 0));
  return settings;
}

// The past followed by K or V, as [B,H,S,D].
absl::Status StorePresent(KernelContext& context, const AttentionShape& shape, int output,
                          int input, int past, const SymbolicShape& result, int64_t columns) {
  if (!context.wants_output(output)) return absl::OkStatus();
  const Tensor& tensor = context.input(input);
  ASSIGN_OR_RETURN(Tensor * present, context.Output(output, tensor.dtype(), result.ToShape()));
  return DispatchFloat(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = present->mutable_data<T>();
    for (int64_t i = 0; i < shape.batch.value * shape.kv_heads.value; ++i) {
      const std::vector<T> head = JoinedHead<T, T>(
          context, shape, past, input, columns, i / shape.kv_heads.value, i % shape.kv_heads.value);
      to = std::copy(head.begin(), head.end(), to);
    }
    return absl::OkStatus();
  });
}

// V, and what comes of it, may be of another type than Q and K.
template <typename T, typename V>
absl::Status RunHeads(KernelContext& context, const AttentionShape& shape) {
  const DType dtype = context.input(kQ).dtype();
  const int64_t rows = shape.q_sequence.value, keys = shape.total().value;
  const int64_t heads = shape.q_heads.value, width = shape.v_head_size.value;
  RETURN_IF_ERROR(CheckScoreBytes(rows, keys, context.limit_bytes()));
  ASSIGN_OR_RETURN(const AttentionBias bias, AttentionBias::Make(context, shape));
  const ScoreSettings settings = ReadSettings(context.attributes(), shape);
  const HeadLayout q_layout = LayoutOf(shape, heads, rows, shape.head_size.value);
  const HeadLayout y_layout = LayoutOf(shape, heads, rows, width);
  T* y = nullptr;
  T* scores = nullptr;
  if (context.wants_output(kY)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(kY, dtype, shape.Output().ToShape()));
    y = output->mutable_data<T>();
  }
  if (context.wants_output(kScores)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(kScores, dtype, shape.Scores().ToShape()));
    scores = output->mutable_data<T>();
  }
  for (int64_t at = 0; at < shape.batch.value * heads; ++at) {
    const int64_t b = at / heads, h = at % heads, kv = h / (heads / shape.kv_heads.value);
    using Acc = AccumulatorOf<T>;
    AttentionHead<T> head{
        .rows = rows, .keys = keys, .depth = shape.head_size.value, .width = width};
    AppendRows(context.input(kQ).data<T>(), q_layout, b, h, rows, head.depth, &head.q);
    head.k = JoinedHead<Acc, T>(context, shape, kPastKey, kK, head.depth, b, kv);
    head.v = JoinedHead<Acc, V>(context, shape, kPastValue, kV, width, b, kv);
    head.bias = bias.Of<T>(b, h);
    const std::vector<T> result = RunAttentionHead<T>(
        std::move(head), settings, scores == nullptr ? nullptr : scores + at * rows * keys);
    for (int64_t i = 0; y != nullptr && i < rows; ++i) {
      std::copy_n(result.begin() + i * width, width, y + y_layout.At(b, h, i));
    }
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  SymbolicShape shapes[7];
  const SymbolicShape* given[7] = {};
  for (int i = 0; i < 7; ++i) {
    if (!context.has_input(i)) continue;
    shapes[i] = context.input(i).shape();
    given[i] = &shapes[i];
  }
  ASSIGN_OR_RETURN(const AttentionShape shape,
                   ResolveAttention(context.attributes(),
                                    {given[kQ], given[kK], given[kV], given[kMask], given[kPastKey],
                                     given[kPastValue], given[kNonpadLengths]}));
  RETURN_IF_ERROR(StorePresent(context, shape, kPresentKey, kK, kPastKey, shape.PresentKey(),
                               shape.head_size.value));
  RETURN_IF_ERROR(StorePresent(context, shape, kPresentValue, kV, kPastValue, shape.PresentValue(),
                               shape.v_head_size.value));
  return DispatchFloat(context.input(kQ).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return DispatchFloat(context.input(kV).dtype(), [&](auto v_tag) {
      return RunHeads<T, typename decltype(v_tag)::type>(context, shape);
    });
  });
}

}  // namespace

OpDef Attention() {
  return {.name = "Attention",
          .since = 25,
          .min_inputs = 3,
          .max_inputs = 7,
          .max_outputs = 4,
          .attributes = {{"is_causal", AttributeKind::kInt},
                         {"kv_num_heads", AttributeKind::kInt},
                         {"left_window_size", AttributeKind::kInt},
                         {"q_num_heads", AttributeKind::kInt},
                         {"qk_matmul_output_mode", AttributeKind::kInt},
                         {"right_window_size", AttributeKind::kInt},
                         {"scale", AttributeKind::kFloat},
                         {"softcap", AttributeKind::kFloat},
                         {"softmax_precision", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
