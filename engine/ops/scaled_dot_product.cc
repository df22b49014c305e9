#include "engine/ops/scaled_dot_product.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/ops/matmul.h"
#include "engine/ops/softmax_row.h"

namespace inferd {
namespace {

template <typename T>
void Scale(double factor, std::vector<AccumulatorOf<T>>* values) {
  const auto rounded = Rounded<T>(factor);
  for (auto& value : *values) value = Rounded<T>(value * rounded);
}

template <typename T>
void ApplySoftcap(double cap, std::vector<AccumulatorOf<T>>* scores) {
  const auto rounded = Rounded<T>(cap);
  for (auto& score : *scores) {
    score = Rounded<T>(Rounded<T>(std::tanh(Rounded<T>(score / rounded))) * rounded);
  }
}

// Softmax of a T row in the arithmetic of S.
template <typename T, typename S>
void SoftmaxIn(AccumulatorOf<T>* row, int64_t count, const AccumulatorOf<T>* sink) {
  using Wide = AccumulatorOf<S>;
  std::vector<Wide> converted;
  converted.reserve(count);
  for (int64_t j = 0; j < count; ++j) converted.push_back(Rounded<S>(static_cast<Wide>(row[j])));
  const Wide logit = sink == nullptr ? Wide(0) : static_cast<Wide>(*sink);
  SoftmaxRow<S>(converted.data(), count, sink == nullptr ? nullptr : &logit);
  for (int64_t j = 0; j < count; ++j) {
    row[j] = Rounded<T>(static_cast<AccumulatorOf<T>>(converted[j]));
  }
}

template <typename T>
void SoftmaxScores(const AttentionHead<T>& head, DType type, std::vector<AccumulatorOf<T>>* all) {
  using Acc = AccumulatorOf<T>;
  constexpr Acc kHidden = -std::numeric_limits<Acc>::infinity();
  const Acc* sink = head.sink ? &*head.sink : nullptr;
  for (int64_t i = 0; i < head.rows; ++i) {
    Acc* row = all->data() + i * head.keys;
    const Acc* bias = head.bias.empty() ? row : head.bias.data() + i * head.keys;
    const auto hidden = [](Acc value) { return value == kHidden; };
    // By the bias as well: +infinity under a mask is NaN.
    if (std::all_of(bias, bias + head.keys, hidden) || std::all_of(row, row + head.keys, hidden)) {
      std::fill_n(row, head.keys, Acc(0));
    } else if (type == DType::kInvalid || type == DTypeOf<T>()) {
      SoftmaxRow<T>(row, head.keys, sink);
    } else if (type == DType::kFloat64) {
      SoftmaxIn<T, double>(row, head.keys, sink);
    } else if (type == DType::kFloat16) {
      SoftmaxIn<T, Float16>(row, head.keys, sink);
    } else if (type == DType::kBfloat16) {
      SoftmaxIn<T, Bfloat16>(row, head.keys, sink);
    } else {
      SoftmaxIn<T, float>(row, head.keys, sink);
    }
  }
}

}  // namespace

absl::Status CheckScoreBytes(int64_t rows, int64_t keys, int64_t limit_bytes) {
  constexpr int64_t kBytes = sizeof(double);
  if (keys == 0 || rows <= limit_bytes / kBytes / keys) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the attention scores of ", rows,
                                                   " queries and ", keys, " keys take more than ",
                                                   limit_bytes, " bytes"));
}

template <typename T>
std::vector<T> RunAttentionHead(AttentionHead<T> head, const ScoreSettings& settings, T* scores) {
  using Acc = AccumulatorOf<T>;
  std::vector<Acc> products(head.rows * head.keys, Acc(0));
  const auto hand_out = [&](ScoreStage stage) {
    if (scores != nullptr && stage == settings.stage) {
      std::copy(products.begin(), products.end(), scores);
    }
  };
  const bool on_operands = settings.scale_operands && settings.scale >= 0;
  if (on_operands) {
    Scale<T>(std::sqrt(settings.scale), &head.q);
    Scale<T>(std::sqrt(settings.scale), &head.k);
  }
  const std::vector<Acc> k = Transposed<Acc>(head.k.data(), head.keys, head.depth);
  AddMatrixProduct(head.rows, head.keys, head.depth, head.q.data(), k.data(), products.data());
  for (Acc& product : products) product = Rounded<T>(product);
  if (!on_operands) Scale<T>(settings.scale, &products);
  hand_out(ScoreStage::kProduct);
  if (settings.softcap > 0) ApplySoftcap<T>(settings.softcap, &products);
  hand_out(ScoreStage::kSoftcap);
  for (size_t i = 0; i < head.bias.size(); ++i) {
    products[i] = Rounded<T>(products[i] + head.bias[i]);
  }
  hand_out(ScoreStage::kBias);
  SoftmaxScores(head, settings.softmax_type, &products);
  hand_out(ScoreStage::kSoftmax);
  std::vector<Acc> result(head.rows * head.width, Acc(0));
  AddMatrixProduct(head.rows, head.width, head.keys, products.data(), head.v.data(), result.data());
  return std::vector<T>(result.begin(), result.end());
}

template std::vector<float> RunAttentionHead(AttentionHead<float>, const ScoreSettings&, float*);
template std::vector<double> RunAttentionHead(AttentionHead<double>, const ScoreSettings&, double*);
template std::vector<Float16> RunAttentionHead(AttentionHead<Float16>, const ScoreSettings&,
                                               Float16*);
template std::vector<Bfloat16> RunAttentionHead(AttentionHead<Bfloat16>, const ScoreSettings&,
                                                Bfloat16*);

}  // namespace inferd
