#include "engine/ops/masked_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"

namespace inferd {
namespace {

bool MayBe(const Dim& dim, const Dim& wanted) {
  return !dim.known() || !wanted.known() || dim.value == wanted.value;
}

// The score that a key behind the query gets instead of its own.
constexpr float kLowest = std::numeric_limits<float>::lowest();

// What is added to the scores of one attention. Immutable.
template <typename T>
class ScoreBias {
 public:
  using Acc = AccumulatorOf<T>;

  static absl::StatusOr<ScoreBias> Make(const MaskedAttention<T>& attention, int64_t keys) {
    ScoreBias bias(attention, keys);
    ASSIGN_OR_RETURN(bias.mask_, KeyMask::Read(attention.mask, attention.batch, bias.rows_, keys));
    if (attention.added == nullptr) return bias;
    const Shape& shape = attention.added->shape();
    RETURN_IF_ERROR(CheckAddedBias(shape, attention.batch, attention.heads, bias.rows_, keys));
    bias.added_batch_ = shape[0] == 1 ? 0 : shape[1] * bias.rows_ * keys;
    bias.added_head_ = shape[1] == 1 ? 0 : bias.rows_ * keys;
    return bias;
  }

  std::vector<Acc> Of(int64_t b, int64_t h) const {
    std::vector<Acc> values;
    values.reserve(rows_ * keys_);
    const int64_t past = keys_ - attention_.k.rows;
    for (int64_t i = 0; i < rows_; ++i) {
      for (int64_t j = 0; j < keys_; ++j) {
        double value = mask_.Hides(b, i, j) ? attention_.filter : 0;
        if (attention_.causal && j > past + i) value = kLowest;
        if (attention_.added != nullptr) {
          const int64_t at = b * added_batch_ + h * added_head_ + i * keys_ + j;
          value += attention_.added->template data<T>()[at];
        }
        values.push_back(static_cast<Acc>(value));
      }
    }
    return values;
  }

 private:
  ScoreBias(const MaskedAttention<T>& attention, int64_t keys)
      : attention_(attention), rows_(attention.q.rows), keys_(keys) {}

  const MaskedAttention<T>& attention_;
  int64_t rows_;
  int64_t keys_;
  KeyMask mask_;
  int64_t added_batch_ = 0;
  int64_t added_head_ = 0;
};

// The past's rows, then the new ones.
template <typename T>
std::vector<T> Joined(const typename MaskedAttention<T>::Operand& past,
                      const typename MaskedAttention<T>::Operand& given, int64_t b, int64_t h,
                      int64_t columns) {
  std::vector<T> matrix;
  AppendRows(past.data, past.layout, b, h, past.rows, columns, &matrix);
  AppendRows(given.data, given.layout, b, h, given.rows, columns, &matrix);
  return matrix;
}

}  // namespace

absl::StatusOr<int64_t> HeadCount(const Attributes& attributes, absl::string_view name) {
  constexpr int64_t kMost = int64_t{1} << 20;
  const int64_t heads = attributes.Int(name, 0);
  if (heads >= 1 && heads <= kMost) return heads;
  return absl::InvalidArgumentError(
      absl::StrCat("attribute ", name, " is ", heads, ", expected 1 to ", kMost));
}

absl::Status CheckKeyMask(const SymbolicShape& mask, Dim batch, Dim rows, Dim keys) {
  if (!mask.has_rank()) return absl::OkStatus();
  bool fits = false;
  if (mask.rank() == 1) fits = MayBe(mask[0], batch) || MayBe(mask[0], batch * Dim(2));
  if (mask.rank() == 2) {
    fits = (MayBe(mask[0], batch) && (MayBe(mask[1], keys) || mask[1].Is(1))) ||
           (mask[0].Is(1) && mask[1].Is(1));
  }
  if (mask.rank() == 3) {
    fits = MayBe(mask[0], batch) && MayBe(mask[1], rows) && MayBe(mask[2], keys);
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the mask has shape ", mask.ToString(),
                   ", expected [batch], [2*batch], [batch,keys] or "
                   "[batch,queries,keys] with batch, queries and keys ",
                   SymbolicShape({batch, rows, keys}).ToString()));
}

absl::Status CheckAddedBias(const SymbolicShape& added, Dim batch, Dim heads, Dim rows, Dim keys) {
  if (!added.has_rank()) return absl::OkStatus();
  if (added.rank() == 4 && (MayBe(added[0], batch) || added[0].Is(1)) &&
      (MayBe(added[1], heads) || added[1].Is(1)) && MayBe(added[2], rows) &&
      MayBe(added[3], keys)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("attention_bias has shape ", added.ToString(), ", which does not broadcast to ",
                   SymbolicShape({batch, heads, rows, keys}).ToString()));
}

absl::StatusOr<KeyMask> KeyMask::Read(const Tensor* mask, int64_t batch, int64_t rows,
                                      int64_t keys) {
  KeyMask result;
  if (mask == nullptr) return result;
  RETURN_IF_ERROR(CheckKeyMask(mask->shape(), batch, rows, keys));
  ASSIGN_OR_RETURN(result.values_, mask->ToInt64s());
  result.batch_ = batch;
  result.rows_ = rows;
  result.keys_ = keys;
  if (mask->rank() == 1) {
    result.form_ = mask->dim(0) == batch ? Form::kEnds : Form::kEndsAndStarts;
  } else if (mask->rank() == 3) {
    result.form_ = Form::kRowsAndKeys;
  } else if (mask->dim(0) == batch && mask->dim(1) == keys) {
    result.form_ = Form::kKeys;
  }
  return result;
}

bool KeyMask::Hides(int64_t b, int64_t i, int64_t j) const {
  switch (form_) {
    case Form::kNone:
      return false;
    case Form::kEnds:
      return j >= values_[b];
    case Form::kEndsAndStarts:
      return j >= values_[b] || j < values_[batch_ + b];
    case Form::kKeys:
      return values_[b * keys_ + j] <= 0;
    case Form::kRowsAndKeys:
      return values_[(b * rows_ + i) * keys_ + j] <= 0;
  }
  return false;
}

template <typename T>
void ReadMaskedAttributes(const Attributes& attributes, MaskedAttention<T>* attention) {
  attention->causal = attributes.Int("unidirectional", 0) != 0;
  attention->filter = attributes.Float("mask_filter_value", -10000.0f);
  attention->scale = attributes.Float("scale", 0);
  if (attention->scale == 0) {
    attention->scale = 1 / std::sqrt(static_cast<double>(attention->depth));
  }
}

template <typename T>
absl::Status RunMaskedAttention(const MaskedAttention<T>& attention, int64_t limit_bytes) {
  using Acc = AccumulatorOf<T>;
  const int64_t rows = attention.q.rows, keys = attention.past_k.rows + attention.k.rows;
  const int64_t heads = attention.heads, depth = attention.depth, width = attention.width;
  RETURN_IF_ERROR(CheckScoreBytes(rows, keys, limit_bytes));
  ASSIGN_OR_RETURN(const ScoreBias<T> bias, ScoreBias<T>::Make(attention, keys));
  const HeadLayout y_layout = HeadLayout::RowFirst(heads, rows, width);
  ScoreSettings settings;
  settings.scale = attention.scale;
  for (int64_t at = 0; at < attention.batch * heads; ++at) {
    const int64_t b = at / heads, h = at % heads;
    const std::vector<T> k = Joined<T>(attention.past_k, attention.k, b, h, depth);
    const std::vector<T> v = Joined<T>(attention.past_v, attention.v, b, h, width);
    if (attention.present_k != nullptr) {
      std::copy(k.begin(), k.end(), attention.present_k + at * keys * depth);
    }
    if (attention.present_v != nullptr) {
      std::copy(v.begin(), v.end(), attention.present_v + at * keys * width);
    }
    AttentionHead<T> head{.rows = rows, .keys = keys, .depth = depth, .width = width};
    AppendRows<Acc>(attention.q.data, attention.q.layout, b, h, rows, depth, &head.q);
    head.k.assign(k.begin(), k.end());
    head.v.assign(v.begin(), v.end());
    head.bias = bias.Of(b, h);
    const std::vector<T> result = RunAttentionHead<T>(std::move(head), settings);
    for (int64_t i = 0; attention.y != nullptr && i < rows; ++i) {
      std::copy_n(result.begin() + i * width, width, attention.y + y_layout.At(b, h, i));
    }
  }
  return absl::OkStatus();
}

template void ReadMaskedAttributes(const Attributes&, MaskedAttention<float>*);
template void ReadMaskedAttributes(const Attributes&, MaskedAttention<Float16>*);
template void ReadMaskedAttributes(const Attributes&, MaskedAttention<Bfloat16>*);
template absl::Status RunMaskedAttention(const MaskedAttention<float>&, int64_t);
template absl::Status RunMaskedAttention(const MaskedAttention<Float16>&, int64_t);
template absl::Status RunMaskedAttention(const MaskedAttention<Bfloat16>&, int64_t);

}  // namespace inferd
