#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/attention_shape.h"
#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"
#include "engine/ops/view.h"

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

// The additive bias of attn_mask: 0 or -infinity where it is bool; -infinity behind its end.
class MaskBias {
 public:
  explicit MaskBias(const Tensor* mask) : mask_(mask) {
    if (mask == nullptr) return;
    const Shape::Dims strides = mask->shape().RowMajorStrides();
    for (int i = 0; i < mask->rank(); ++i) {
      strides_[4 - mask->rank() + i] = mask->dim(i) == 1 ? 0 : strides[i];
    }
    strides_[3] = 1;
    length_ = mask->dim(mask->rank() - 1);
  }
  double At(int64_t b, int64_t h, int64_t i, int64_t j) const {
    if (mask_ == nullptr) return 0;
    if (j >= length_) return kMinusInfinity;
    const int64_t at = b * strides_[0] + h * strides_[1] + i * strides_[2] + j;
    switch (mask_->dtype()) {
      case DType::kBool:
        return mask_->data<bool>()[at] ? 0 : kMinusInfinity;
      case DType::kFloat32:
        return mask_->data<float>()[at];
      case DType::kFloat64:
        return mask_->data<double>()[at];
      case DType::kFloat16:
        return mask_->data<Float16>()[at];
      default:
        return mask_->data<Bfloat16>()[at];
    }
  }

 private:
  const Tensor* mask_;
  int64_t strides_[4] = {0, 0, 0, 0};
  int64_t length_ = 0;
};

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

// The matrix [rows,columns] of head h of image b, in a tensor [B,H,S,D] or [B,S,H*D].
template <typename Acc, typename T>
void AppendHead(const Tensor& tensor, bool flat, int64_t heads, int64_t b, int64_t h, int64_t rows,
                int64_t columns, std::vector<Acc>* matrix) {
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t row = flat ? (b * rows + i) * heads + h : (b * heads + h) * rows + i;
    const T* from = tensor.data<T>() + row * columns;
    matrix->insert(matrix->end(), from, from + columns);
  }
}

template <typename Acc, typename T>
std::vector<Acc> JoinedHead(const KernelContext& context, const AttentionShape& shape, int past,
                            int present, int64_t columns, int64_t b, int64_t h) {
  std::vector<Acc> matrix;
  if (context.has_input(past)) {
    AppendHead<Acc, T>(context.input(past), false, shape.kv_heads.value, b, h, shape.past.value,
                       columns, &matrix);
  }
  AppendHead<Acc, T>(context.input(present), shape.flat, shape.kv_heads.value, b, h,
                     shape.kv_sequence.value, columns, &matrix);
  return matrix;
}

// Softmax of a row; all zeros when everything is masked.
template <typename Acc>
void SoftmaxRow(Acc* row, int64_t count, bool all_masked) {
  const Acc maximum = count == 0 ? Acc(0) : *std::max_element(row, row + count);
  if (all_masked || maximum == static_cast<Acc>(kMinusInfinity)) {
    std::fill_n(row, count, Acc(0));
    return;
  }
  double sum = 0;
  for (int64_t j = 0; j < count; ++j) sum += row[j] = std::exp(row[j] - maximum);
  for (int64_t j = 0; j < count; ++j) row[j] = static_cast<Acc>(row[j] / sum);
}

// One attention over T inputs (V and what comes of it may be of another type V).
template <typename T, typename V>
class AttentionRun {
 public:
  using Acc = AccumulatorOf<T>;
  AttentionRun(const KernelContext& context, const AttentionShape& shape)
      : context_(context),
        shape_(shape),
        mask_(context.has_input(kMask) ? &context.input(kMask) : nullptr) {
    const Attributes& attributes = context.attributes();
    visibility_.causal = attributes.Int("is_causal", 0) != 0;
    visibility_.left = attributes.Int("left_window_size", -1);
    visibility_.right = attributes.Int("right_window_size", -1);
    scale_ = attributes.Has("scale") ? static_cast<double>(attributes.Float("scale", 1))
                                     : 1 / std::sqrt(static_cast<double>(shape.head_size.value));
    softcap_ = attributes.Float("softcap", 0);
    mode_ = attributes.Int("qk_matmul_output_mode", 0);
  }

  // Head h of image b; y and scores are the whole outputs, scores may be null.
  void RunHead(int64_t b, int64_t h, const std::vector<int64_t>& lengths, T* y, T* scores_out) {
    const int64_t rows = shape_.q_sequence.value, keys = shape_.total().value;
    const int64_t depth = shape_.head_size.value, width = shape_.v_head_size.value;
    const int64_t kv = h / (shape_.q_heads.value / shape_.kv_heads.value);
    std::vector<Acc> q;
    AppendHead<Acc, T>(context_.input(kQ), shape_.flat, shape_.q_heads.value, b, h, rows, depth,
                       &q);
    for (Acc& value : q) value = static_cast<Acc>(value * scale_);
    const std::vector<Acc> k = JoinedHead<Acc, T>(context_, shape_, kPastKey, kK, depth, b, kv);
    const std::vector<Acc> v = JoinedHead<Acc, V>(context_, shape_, kPastValue, kV, width, b, kv);
    std::vector<Acc> scores(rows * keys, Acc(0));
    const std::vector<Acc> k_transposed = Transposed<Acc>(k.data(), keys, depth);
    AddMatrixProduct(rows, keys, depth, q.data(), k_transposed.data(), scores.data());
    T* scores_to =
        scores_out == nullptr ? nullptr : scores_out + (b * shape_.q_heads.value + h) * rows * keys;
    const bool external = context_.has_input(kNonpadLengths);
    const int64_t valid = external ? lengths[b] : keys;
    const int64_t offset = external ? valid - rows : shape_.past.value;
    for (int64_t i = 0; i < rows; ++i) {
      FinishRow(b, h, i, offset + i, valid, scores.data() + i * keys,
                scores_to == nullptr ? nullptr : scores_to + i * keys);
    }
    std::vector<Acc> result(rows * width, Acc(0));
    AddMatrixProduct(rows, width, keys, scores.data(), v.data(), result.data());
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = shape_.flat ? (b * rows + i) * shape_.q_heads.value + h
                                      : (b * shape_.q_heads.value + h) * rows + i;
      std::copy_n(result.begin() + i * width, width, y + row * width);
    }
  }

 private:
  // Softcap, masks and softmax of one row of scores; `out` gets the stage that the mode asks for.
  void FinishRow(int64_t b, int64_t h, int64_t i, int64_t position, int64_t valid, Acc* row,
                 T* out) const {
    const int64_t keys = shape_.total().value;
    if (out != nullptr && mode_ == 0) std::copy_n(row, keys, out);
    if (softcap_ > 0) {
      for (int64_t j = 0; j < keys; ++j) {
        row[j] = static_cast<Acc>(softcap_ * std::tanh(row[j] / softcap_));
      }
    }
    if (out != nullptr && mode_ == 1) std::copy_n(row, keys, out);
    bool all_masked = true;
    for (int64_t j = 0; j < keys; ++j) {
      double bias = mask_.At(b, h, i, j);
      if (!visibility_.Sees(position, j, valid)) bias = kMinusInfinity;
      all_masked &= bias == kMinusInfinity;
      row[j] = static_cast<Acc>(row[j] + bias);
    }
    if (out != nullptr && mode_ == 2) std::copy_n(row, keys, out);
    SoftmaxRow(row, keys, all_masked);
    if (out != nullptr && mode_ == 3) std::copy_n(row, keys, out);
  }

  const KernelContext& context_;
  const AttentionShape& shape_;
  const MaskBias mask_;
  Visibility visibility_;
  double scale_ = 1;
  double softcap_ = 0;
  int64_t mode_ = 0;
};

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

template <typename T, typename V>
absl::Status RunHeads(KernelContext& context, const AttentionShape& shape) {
  const DType dtype = context.input(kQ).dtype();
  ASSIGN_OR_RETURN(const int64_t scores, shape.Scores().ToShape().CheckedElements());
  if (scores / 8 > context.limit_bytes()) {
    return absl::ResourceExhaustedError("the attention scores are too large");
  }
  std::vector<int64_t> lengths;
  if (context.has_input(kNonpadLengths)) {
    ASSIGN_OR_RETURN(lengths, context.input(kNonpadLengths).ToInt64s());
    for (int64_t length : lengths) {
      if (length >= 0 && length <= shape.total().value) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("nonpad_kv_seqlen has ", length, ", expected 0 to ", shape.total().value));
    }
  }
  T* y = nullptr;
  T* scores_to = nullptr;
  if (context.wants_output(kY)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(kY, dtype, shape.Output().ToShape()));
    y = output->mutable_data<T>();
  }
  if (context.wants_output(kScores)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(kScores, dtype, shape.Scores().ToShape()));
    scores_to = output->mutable_data<T>();
  }
  std::vector<T> unwanted;
  if (y == nullptr) {
    unwanted.resize(shape.Output().ToShape().num_elements());
    y = unwanted.data();
  }
  AttentionRun<T, V> run(context, shape);
  for (int64_t b = 0; b < shape.batch.value; ++b) {
    for (int64_t h = 0; h < shape.q_heads.value; ++h) run.RunHead(b, h, lengths, y, scores_to);
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
  if (context.has_input(kMask) && context.input(kMask).dtype() != DType::kBool &&
      !IsFloatingPoint(context.input(kMask).dtype())) {
    return absl::InvalidArgumentError(
        absl::StrCat("attn_mask has element type ", DTypeName(context.input(kMask).dtype())));
  }
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
