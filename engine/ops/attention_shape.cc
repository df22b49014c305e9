#include "engine/ops/attention_shape.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"

namespace inferd {
namespace {

absl::Status CheckRank(absl::string_view name, const SymbolicShape& shape, int rank) {
  if (!shape.has_rank() || shape.rank() == rank) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has shape ", shape.ToString(), ", expected rank ", rank));
}

// One of Q, K, V: its sequence, heads and head size.
absl::Status ReadOperand(absl::string_view name, const SymbolicShape& shape, bool flat,
                         int64_t heads_attribute, Dim* batch, Dim* sequence, Dim* heads,
                         Dim* head_size) {
  RETURN_IF_ERROR(CheckRank(name, shape, flat ? 3 : 4));
  if (flat) {
    if (heads_attribute < 1) {
      return absl::InvalidArgumentError(
          "attributes q_num_heads and kv_num_heads are required for "
          "3-D inputs");
    }
    RETURN_IF_ERROR(UnifyDim("number of heads", Dim(heads_attribute), heads));
  }
  if (!shape.has_rank()) return absl::OkStatus();
  RETURN_IF_ERROR(UnifyDim(absl::StrCat("batch of ", name), shape[0], batch));
  RETURN_IF_ERROR(UnifyDim(absl::StrCat("sequence of ", name), shape[flat ? 1 : 2], sequence));
  if (!flat) {
    RETURN_IF_ERROR(UnifyDim(absl::StrCat("heads of ", name), shape[1], heads));
    return UnifyDim(absl::StrCat("head size of ", name), shape[3], head_size);
  }
  if (!shape[2].known()) return absl::OkStatus();
  if (shape[2].value % heads_attribute != 0) {
    return absl::InvalidArgumentError(absl::StrCat(name, " has shape ", shape.ToString(),
                                                   ", which ", heads_attribute,
                                                   " heads do not divide"));
  }
  return UnifyDim(absl::StrCat("head size of ", name), Dim(shape[2].value / heads_attribute),
                  head_size);
}

absl::Status ReadPast(const AttentionInputs& inputs, AttentionShape* shape) {
  if ((inputs.past_key == nullptr) != (inputs.past_value == nullptr)) {
    return absl::InvalidArgumentError("past_key and past_value must be given together");
  }
  if (inputs.past_key == nullptr) {
    shape->past = 0;
    return absl::OkStatus();
  }
  if (inputs.nonpad_lengths != nullptr) {
    return absl::InvalidArgumentError("nonpad_kv_seqlen cannot be combined with past_key");
  }
  RETURN_IF_ERROR(ReadOperand("past_key", *inputs.past_key, false, 0, &shape->batch, &shape->past,
                              &shape->kv_heads, &shape->head_size));
  return ReadOperand("past_value", *inputs.past_value, false, 0, &shape->batch, &shape->past,
                     &shape->kv_heads, &shape->v_head_size);
}

absl::Status CheckMask(const SymbolicShape& mask, const AttentionShape& shape) {
  if (!mask.has_rank()) return absl::OkStatus();
  const Dim wanted[] = {shape.batch, shape.q_heads, shape.q_sequence, shape.total()};
  bool fits = mask.rank() >= 1 && mask.rank() <= 4;
  for (int i = 0; fits && i < mask.rank(); ++i) {
    const Dim& have = mask[i];
    const Dim& want = wanted[4 - mask.rank() + i];
    if (!have.known() || !want.known()) continue;
    const bool last = i == mask.rank() - 1;
    fits = have.value == want.value || (last ? have.value < want.value : have.value == 1);
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("attn_mask has shape ", mask.ToString(),
                                                 ", which does not broadcast to ",
                                                 shape.Scores().ToString()));
}

}  // namespace

SymbolicShape AttentionShape::Output() const {
  if (flat) return {batch, q_sequence, q_heads * v_head_size};
  return {batch, q_heads, q_sequence, v_head_size};
}
SymbolicShape AttentionShape::PresentKey() const { return {batch, kv_heads, total(), head_size}; }
SymbolicShape AttentionShape::PresentValue() const {
  return {batch, kv_heads, total(), v_head_size};
}
SymbolicShape AttentionShape::Scores() const { return {batch, q_heads, q_sequence, total()}; }

absl::StatusOr<AttentionShape> ResolveAttention(const Attributes& attributes,
                                                const AttentionInputs& inputs) {
  AttentionShape shape;
  for (const SymbolicShape* operand : {inputs.q, inputs.k, inputs.v}) {
    if (operand->has_rank()) shape.flat = operand->rank() == 3;
  }
  const int64_t q_heads = attributes.Int("q_num_heads", 0);
  const int64_t kv_heads = attributes.Int("kv_num_heads", 0);
  RETURN_IF_ERROR(ReadOperand("Q", *inputs.q, shape.flat, q_heads, &shape.batch, &shape.q_sequence,
                              &shape.q_heads, &shape.head_size));
  RETURN_IF_ERROR(ReadOperand("K", *inputs.k, shape.flat, kv_heads, &shape.batch,
                              &shape.kv_sequence, &shape.kv_heads, &shape.head_size));
  RETURN_IF_ERROR(ReadOperand("V", *inputs.v, shape.flat, kv_heads, &shape.batch,
                              &shape.kv_sequence, &shape.kv_heads, &shape.v_head_size));
  RETURN_IF_ERROR(ReadPast(inputs, &shape));
  const bool heads_known = shape.q_heads.known() && shape.kv_heads.known();
  if (heads_known &&
      (shape.kv_heads.value < 1 || shape.q_heads.value % shape.kv_heads.value != 0)) {
    return absl::InvalidArgumentError(absl::StrCat(shape.q_heads.value,
                                                   " query heads are no multiple of ",
                                                   shape.kv_heads.value, " key heads"));
  }
  if (inputs.nonpad_lengths != nullptr && inputs.nonpad_lengths->has_rank()) {
    RETURN_IF_ERROR(CheckRank("nonpad_kv_seqlen", *inputs.nonpad_lengths, 1));
    Dim batch = shape.batch;
    RETURN_IF_ERROR(UnifyDim("size of nonpad_kv_seqlen", (*inputs.nonpad_lengths)[0], &batch));
  }
  if (inputs.mask != nullptr) RETURN_IF_ERROR(CheckMask(*inputs.mask, shape));
  return shape;
}

}  // namespace inferd
