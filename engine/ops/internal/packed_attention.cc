#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/op_def.h"
#include "engine/ops/packed_sequences.h"
#include "engine/ops/strided_attention.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::internal {
namespace {

enum Input { kQ, kK, kV, kBias, kMask, kOffsets };

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(context.attributes()));
  for (int i : {kQ, kK, kV, kBias}) {
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kFloat32}));
  }
  RETURN_IF_ERROR(CheckInputType(context, kMask, {DType::kBool}));
  RETURN_IF_ERROR(CheckInputType(context, kOffsets, {DType::kInt64}));
  for (int i : {kQ, kK, kV, kOffsets}) {
    if (!context.has_input(i)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
  }
  const auto elements = [&](int i) {
    if (!context.has_input(i) || !context.shape(i).IsConcrete()) return int64_t{-1};
    return context.shape(i).ToShape().num_elements();
  };
  RETURN_IF_ERROR(attention.CheckElements(elements(kQ), elements(kK), elements(kV), elements(kBias),
                                          elements(kMask)));
  context.SetOutput(0, DType::kFloat32, attention.output_shape);
  return absl::OkStatus();
}

// The scores of query i of head h over the keys of its sequence, [begin, end), before the softmax.
std::vector<float> Scores(const KernelContext& context, const StridedAttention& attention,
                          int64_t h, int64_t i, int64_t begin, int64_t end) {
  const float* q = context.input(kQ).data<float>() + attention.q.At(0, h, i);
  std::vector<float> scores;
  for (int64_t j = begin; j < end; ++j) {
    const float* k = context.input(kK).data<float>() + attention.k.At(0, h / attention.group, j);
    double product = 0;
    for (int64_t d = 0; d < attention.depth; ++d) {
      product += static_cast<double>(q[d]) * static_cast<double>(k[d]);
    }
    float score = static_cast<float>(product) * attention.scale;
    if (context.has_input(kMask) && context.input(kMask).data<bool>()[j] == attention.mask_hides) {
      score = attention.hidden;
    }
    if (context.has_input(kBias)) score += context.input(kBias).data<float>()[j];
    if (attention.causal && j > i) score = -std::numeric_limits<float>::infinity();
    scores.push_back(score);
  }
  return scores;
}

void AttendOne(const KernelContext& context, const StridedAttention& attention, int64_t h,
               int64_t i, int64_t begin, int64_t end, float* y) {
  const std::vector<float> scores = Scores(context, attention, h, i, begin, end);
  const float high = *std::max_element(scores.begin(), scores.end());
  if (high == -std::numeric_limits<float>::infinity() && attention.zero_hidden_rows) return;
  double sum = 0;
  for (float score : scores) sum += std::exp(score - high);
  for (int64_t c = 0; c < attention.width; ++c) {
    double value = 0;
    for (int64_t j = begin; j < end; ++j) {
      const float* v = context.input(kV).data<float>() + attention.v.At(0, h / attention.group, j);
      value += std::exp(scores[j - begin] - high) / sum * static_cast<double>(v[c]);
    }
    y[c] = static_cast<float>(value);
  }
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const StridedAttention attention, StridedAttention::Read(context.attributes()));
  const absl::Span<const int64_t> offsets = context.input(kOffsets).values<int64_t>();
  RETURN_IF_ERROR(CheckSequenceOffsets(offsets, attention.queries));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, attention.output_shape));
  std::fill_n(y->mutable_data<float>(), y->num_elements(), 0.0f);
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    for (int64_t h = 0; h < attention.heads; ++h) {
      for (int64_t i = offsets[s]; i < offsets[s + 1]; ++i) {
        AttendOne(context, attention, h, i, offsets[s], offsets[s + 1],
                  y->mutable_data<float>() + attention.y.At(0, h, i));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

// inferd.Attention over sequences that lie one behind the other: every token attends to those of
// its own sequence. Inputs Q, K, V, bias and mask ([tokens], of the keys), and where each sequence
// begins and the last one ends, int64 [sequences + 1]. Rows behind the last are zeros. Made by
// PackSequences, over bound shapes.
OpDef PackedAttention() {
  return {.domain = "inferd",
          .name = "PackedAttention",
          .min_inputs = 6,
          .max_inputs = 6,
          .attributes = StridedAttention::AttributeSpecs(),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
