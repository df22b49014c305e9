#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/group_query_shape.h"
#include "engine/ops/index_check.h"
#include "engine/ops/input_shapes.h"
#include "engine/ops/masked_attention.h"
#include "engine/ops/op_def.h"
#include "engine/ops/rotary.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

using enum group_query::Input;
using group_query::Resolve;
using group_query::Sizes;

enum Output { kY, kPresentKey, kPresentValue };

absl::Status CheckAttributes(const Attributes& attributes) {
  for (const char* name : {"k_quant_type", "v_quant_type"}) {
    if (attributes.String(name, "NONE") != "NONE") {
      return absl::UnimplementedError(absl::StrCat(
          "attribute ", name, " is ", attributes.String(name, ""), "; only NONE is supported"));
    }
  }
  for (const char* name : {"qk_output", "sliding_window_cache"}) {
    if (attributes.Int(name, 0) == 0) continue;
    return absl::UnimplementedError(
        absl::StrCat("attribute ", name, " is set, which is not supported"));
  }
  return absl::OkStatus();
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputsGiven(context, {kQuery, kLastKeys, kTotal}));
  RETURN_IF_ERROR(CheckAttributes(context.attributes()));
  RETURN_IF_ERROR(
      CheckInputType(context, kQuery, {DType::kFloat32, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckSameTypes(
      context, {kQuery, kKey, kValue, kPastKey, kPastValue, kCos, kSin, kAdded, kSinks}));
  for (int i : {kLastKeys, kTotal}) {
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kInt32}));
  }
  RETURN_IF_ERROR(CheckInputType(context, kPositions, {DType::kInt64}));
  const InputShapes<kInputs> inputs(context);
  Dim total;
  if (context.constant(kTotal) != nullptr) {
    ASSIGN_OR_RETURN(total, OneInteger(*context.constant(kTotal), "total_sequence_length"));
    if (total.value < 1) return absl::InvalidArgumentError("total_sequence_length is below 1");
  }
  ASSIGN_OR_RETURN(const Sizes shape, Resolve(context.attributes(), inputs.pointers(), total));
  const DType dtype = context.dtype(kQuery);
  context.SetOutput(kY, dtype, shape.Output());
  context.SetOutput(kPresentKey, dtype, shape.Present());
  context.SetOutput(kPresentValue, dtype, shape.Present());
  return absl::OkStatus();
}

// One run over the float type T. Used by one thread at a time.
template <typename T>
class GroupedAttention {
 public:
  using Acc = AccumulatorOf<T>;

  GroupedAttention(KernelContext& context, const Sizes& shape)
      : context_(context),
        shape_(shape),
        rows_(shape.rows.value),
        depth_(shape.depth.value),
        held_(shape.Present()[2].value) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(const std::vector<int64_t> last, context_.input(kLastKeys).ToInt64s());
    RETURN_IF_ERROR(CheckScoreBytes(rows_, held_, context_.limit_bytes()));
    if (static_cast<int64_t>(last.size()) != shape_.batch.value) {
      return absl::InvalidArgumentError(
          absl::StrCat("seqlens_k has ", last.size(), " elements, expected ", shape_.batch.value));
    }
    ReadAttributes();
    RETURN_IF_ERROR(SetOutputs());
    for (int64_t b = 0; b < shape_.batch.value; ++b) {
      // The first call of a sequence may be padded behind: all rows are computed.
      const bool prompt = rows_ == shape_.total.value;
      const int64_t keys = prompt ? rows_ : last[b] + 1;
      if (keys < rows_ || keys > shape_.total.value || last[b] < 0 || last[b] >= keys) {
        return absl::InvalidArgumentError(absl::StrCat("seqlens_k has ", last[b], " for ", rows_,
                                                       " new tokens and at most ",
                                                       shape_.total.value, " keys"));
      }
      if (keys - rows_ > shape_.past.value) {
        return absl::InvalidArgumentError(absl::StrCat(
            "seqlens_k asks for ", keys - rows_, " past keys, given are ", shape_.past.value));
      }
      RETURN_IF_ERROR(RunEntry({.b = b, .keys = keys, .valid = last[b] + 1}));
    }
    return absl::OkStatus();
  }

 private:
  // One batch entry.
  struct Entry {
    int64_t b = 0;
    int64_t keys = 0;   // of the past and new
    int64_t valid = 0;  // the first of them, which are no padding
    std::vector<int64_t> positions = {};
  };

  void ReadAttributes() {
    const Attributes& attributes = context_.attributes();
    settings_.scale = attributes.Float("scale", 0);
    if (settings_.scale == 0) settings_.scale = 1 / std::sqrt(static_cast<double>(depth_));
    settings_.softcap = attributes.Float("softcap", 0);
    causal_ = attributes.Int("causal", 1) != 0;
    window_ = attributes.Int("local_window_size", -1);
    smooth_ = attributes.Int("smooth_softmax", 0) > 0;
    rotates_ = attributes.Int("do_rotary", 0) != 0;
    interleaved_ = attributes.Int("rotary_interleaved", 0) != 0;
  }

  // The presents are needed whether or not they are wanted.
  absl::Status SetOutputs() {
    const Shape shape = shape_.Present().ToShape();
    const DType dtype = DTypeOf<T>();
    for (int i : {kPresentKey, kPresentValue}) {
      Tensor*& present = i == kPresentKey ? present_key_ : present_value_;
      Tensor& own = i == kPresentKey ? own_key_ : own_value_;
      if (context_.wants_output(i)) {
        ASSIGN_OR_RETURN(present, context_.Output(i, dtype, shape));
        continue;
      }
      ASSIGN_OR_RETURN(own,
                       Tensor::Allocate(dtype, shape, Layout::kRowMajor, context_.limit_bytes()));
      present = &own;
    }
    if (!context_.wants_output(kY)) return absl::OkStatus();
    ASSIGN_OR_RETURN(Tensor * y, context_.Output(kY, dtype, shape_.Output().ToShape()));
    y_ = y->mutable_data<T>();
    return absl::OkStatus();
  }

  // Where the new vectors of queries, keys or values lie, and in which input.
  HeadLayout NewLayout(int input) const {
    const int64_t heads = input == kQuery ? shape_.heads : shape_.groups;
    if (!shape_.packed) return HeadLayout::RowFirst(heads, rows_, depth_);
    HeadLayout layout = HeadLayout::RowFirst(shape_.heads + 2 * shape_.groups, rows_, depth_);
    if (input != kQuery) layout.offset = shape_.heads * depth_;
    if (input == kValue) layout.offset += shape_.groups * depth_;
    return layout;
  }
  const T* NewData(int input) const {
    return context_.input(shape_.packed ? kQuery : input).data<T>();
  }

  // The position of each new token of batch entry b, whose first one has `past` keys before it.
  absl::StatusOr<std::vector<int64_t>> Positions(int64_t b, int64_t past) const {
    int64_t first = past;
    if (context_.has_input(kPositions)) {
      const int64_t* given = context_.input(kPositions).data<int64_t>();
      if (rows_ != shape_.total.value) {
        std::vector<int64_t> positions(given + b * rows_, given + (b + 1) * rows_);
        RETURN_IF_ERROR(CheckPositions(positions, rows_, context_.input(kCos).dim(0)));
        return positions;
      }
      first = given[0];  // of the first call, whose tokens are numbered on from it
    }
    RETURN_IF_ERROR(CheckPositions({first}, 1, context_.input(kCos).dim(0)));
    std::vector<int64_t> positions;
    for (int64_t i = 0; i < rows_; ++i) positions.push_back(first + i);
    RETURN_IF_ERROR(CheckPositions(positions, rows_, context_.input(kCos).dim(0)));
    return positions;
  }

  void RotateRows(const std::vector<int64_t>& positions, T* vectors) const {
    if (!rotates_) return;
    const int64_t half = context_.input(kCos).dim(1);
    for (int64_t i = 0; i < rows_; ++i) {
      Rotate(depth_, 2 * half, interleaved_, context_.input(kCos).data<T>() + positions[i] * half,
             context_.input(kSin).data<T>() + positions[i] * half, vectors + i * depth_,
             vectors + i * depth_);
    }
  }

  // The cache of group g: the past's first rows, the new ones, and zeros where nothing is yet.
  T* Extend(int64_t b, int64_t g, int64_t past_rows, int input, int past, Tensor* present) const {
    T* to = present->mutable_data<T>() + (b * shape_.groups + g) * held_ * depth_;
    std::vector<T> rows;
    if (context_.has_input(past)) {
      AppendRows(context_.input(past).data<T>(),
                 HeadLayout::HeadFirst(shape_.groups, shape_.past.value, depth_), b, g, past_rows,
                 depth_, &rows);
    }
    AppendRows(NewData(input), NewLayout(input), b, g, rows_, depth_, &rows);
    std::fill(std::copy(rows.begin(), rows.end(), to), to + held_ * depth_, T(0));
    return to;
  }

  absl::Status RunEntry(Entry entry) {
    const int64_t b = entry.b, past = entry.keys - rows_;
    if (rotates_) {
      ASSIGN_OR_RETURN(entry.positions, Positions(b, past));
    }
    for (int64_t g = 0; g < shape_.groups; ++g) {
      T* k = Extend(b, g, past, kKey, kPastKey, present_key_);
      RotateRows(entry.positions, k + past * depth_);
      const T* v = Extend(b, g, past, kValue, kPastValue, present_value_);
      const int64_t shared = shape_.heads / shape_.groups;
      for (int64_t h = g * shared; y_ != nullptr && h < (g + 1) * shared; ++h) {
        RunHead(entry, h, k, v);
      }
    }
    return absl::OkStatus();
  }

  void RunHead(const Entry& entry, int64_t h, const T* k, const T* v) const {
    AttentionHead<T> head{.rows = rows_, .keys = entry.keys, .depth = depth_, .width = depth_};
    std::vector<T> q;
    AppendRows(NewData(kQuery), NewLayout(kQuery), entry.b, h, rows_, depth_, &q);
    RotateRows(entry.positions, q.data());
    head.q.assign(q.begin(), q.end());
    head.k.assign(k, k + entry.keys * depth_);
    head.v.assign(v, v + entry.keys * depth_);
    head.bias = Bias(entry, h);
    if (context_.has_input(kSinks)) {
      head.sink = static_cast<Acc>(context_.input(kSinks).data<T>()[h]);
    } else if (smooth_) {
      head.sink = Acc(0);
    }
    const std::vector<T> result = RunAttentionHead<T>(std::move(head), settings_);
    const HeadLayout layout = HeadLayout::RowFirst(shape_.heads, rows_, depth_);
    for (int64_t i = 0; i < rows_; ++i) {
      std::copy_n(result.begin() + i * depth_, depth_, y_ + layout.At(entry.b, h, i));
    }
  }

  std::vector<Acc> Bias(const Entry& entry, int64_t h) const {
    const Tensor* added = context_.has_input(kAdded) ? &context_.input(kAdded) : nullptr;
    int64_t matrix = 0;
    if (added != nullptr) {
      matrix = (added->dim(0) == 1 ? 0 : entry.b) * added->dim(1) + (added->dim(1) == 1 ? 0 : h);
    }
    std::vector<Acc> bias;
    bias.reserve(rows_ * entry.keys);
    for (int64_t i = 0; i < rows_; ++i) {
      const int64_t position = entry.keys - rows_ + i;
      for (int64_t j = 0; j < entry.keys; ++j) {
        const bool near = j <= position && (window_ < 0 || position - j < window_);
        const bool seen = j < entry.valid && (near || !causal_);
        Acc value = seen ? Acc(0) : -std::numeric_limits<Acc>::infinity();
        if (added != nullptr) {
          const int64_t at = (matrix * rows_ + i) * shape_.total.value + j;
          value += static_cast<Acc>(added->data<T>()[at]);
        }
        bias.push_back(value);
      }
    }
    return bias;
  }

  KernelContext& context_;
  const Sizes& shape_;
  const int64_t rows_;
  const int64_t depth_;
  const int64_t held_;  // rows of the presents
  ScoreSettings settings_;
  bool causal_ = true;
  bool smooth_ = false;
  bool rotates_ = false;
  bool interleaved_ = false;
  int64_t window_ = -1;  // keys a query sees, itself included
  Tensor own_key_, own_value_;
  Tensor* present_key_ = nullptr;
  Tensor* present_value_ = nullptr;
  T* y_ = nullptr;
};

absl::Status Compute(KernelContext& context) {
  const InputShapes<kInputs> inputs(context);
  ASSIGN_OR_RETURN(const int64_t total, OneInteger(context.input(kTotal), "total_sequence_length"));
  if (total < 1) return absl::InvalidArgumentError("total_sequence_length is below 1");
  ASSIGN_OR_RETURN(const Sizes shape, Resolve(context.attributes(), inputs.pointers(), Dim(total)));
  return DispatchTypes<float, Float16, Bfloat16>(context.input(kQuery).dtype(), [&](auto tag) {
    return GroupedAttention<typename decltype(tag)::type>(context, shape).Run();
  });
}

}  // namespace

OpDef GroupQueryAttention() {
  return {.domain = "com.microsoft",
          .name = "GroupQueryAttention",
          .min_inputs = 1,
          .max_inputs = kInputs,
          .max_outputs = 3,
          .attributes = {{"causal", AttributeKind::kInt},
                         {"do_rotary", AttributeKind::kInt},
                         {"k_quant_type", AttributeKind::kString},
                         {"kv_cache_bit_width", AttributeKind::kInt},
                         {"kv_num_heads", AttributeKind::kInt, true},
                         {"local_window_size", AttributeKind::kInt},
                         {"num_heads", AttributeKind::kInt, true},
                         {"qk_output", AttributeKind::kInt},
                         {"rotary_interleaved", AttributeKind::kInt},
                         {"scale", AttributeKind::kFloat},
                         {"sliding_window_cache", AttributeKind::kInt},
                         {"smooth_softmax", AttributeKind::kInt},
                         {"softcap", AttributeKind::kFloat},
                         {"v_quant_type", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
