#include "engine/ops/group_query_shape.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"
#include "engine/ops/masked_attention.h"

namespace inferd::group_query {
namespace {

absl::Status ReadQuery(InputShapes inputs, Sizes* shape) {
  Dim columns;
  RETURN_IF_ERROR(MatchDims("query", *inputs[kQuery], {&shape->batch, &shape->rows, &columns}));
  const int64_t vectors = shape->heads + (shape->packed ? 2 * shape->groups : 0);
  if (!columns.known()) return absl::OkStatus();
  if (columns.value % vectors != 0) {
    return absl::InvalidArgumentError(absl::StrCat("the rows of query have ", columns.value,
                                                   " elements, which ", vectors,
                                                   " heads do not divide"));
  }
  shape->depth = columns.value / vectors;
  return absl::OkStatus();
}

absl::Status ReadKeys(InputShapes inputs, Sizes* shape) {
  Dim groups = shape->groups;
  if (!shape->packed) {
    Dim columns = groups * shape->depth;
    RETURN_IF_ERROR(MatchDims("key", *inputs[kKey], {&shape->batch, &shape->rows, &columns}));
    RETURN_IF_ERROR(MatchDims("value", *inputs[kValue], {&shape->batch, &shape->rows, &columns}));
  }
  if ((inputs[kPastKey] == nullptr) != (inputs[kPastValue] == nullptr)) {
    return absl::InvalidArgumentError("past_key and past_value must be given together");
  }
  shape->past = inputs[kPastKey] == nullptr ? Dim(0) : Dim::Unknown();
  if (inputs[kPastKey] == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(MatchDims("past_key", *inputs[kPastKey],
                            {&shape->batch, &groups, &shape->past, &shape->depth}));
  return MatchDims("past_value", *inputs[kPastValue],
                   {&shape->batch, &groups, &shape->past, &shape->depth});
}

absl::Status CheckCaches(const Attributes& attributes, InputShapes inputs, const Sizes& shape) {
  const bool rotates = attributes.Int("do_rotary", 0) != 0;
  if (!rotates) return absl::OkStatus();
  if (inputs[kCos] == nullptr || inputs[kSin] == nullptr) {
    return absl::InvalidArgumentError("attribute do_rotary is set without cos_cache and sin_cache");
  }
  Dim rows, columns;
  RETURN_IF_ERROR(MatchDims("cos_cache", *inputs[kCos], {&rows, &columns}));
  RETURN_IF_ERROR(MatchDims("sin_cache", *inputs[kSin], {&rows, &columns}));
  if (columns.known() && shape.depth.known() && columns.value > shape.depth.value / 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the caches have ", columns.value, " columns, for heads of size ", shape.depth.value));
  }
  if (inputs[kPositions] == nullptr) return absl::OkStatus();
  Dim batch = shape.batch, tokens = shape.rows;
  return MatchDims("position_ids", *inputs[kPositions], {&batch, &tokens});
}

}  // namespace

absl::StatusOr<Sizes> Resolve(const Attributes& attributes, InputShapes inputs, Dim total) {
  Sizes shape;
  ASSIGN_OR_RETURN(shape.heads, HeadCount(attributes, "num_heads"));
  ASSIGN_OR_RETURN(shape.groups, HeadCount(attributes, "kv_num_heads"));
  if (shape.heads % shape.groups != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(shape.heads, " query heads are no multiple of ", shape.groups, " key heads"));
  }
  if ((inputs[kKey] == nullptr) != (inputs[kValue] == nullptr)) {
    return absl::InvalidArgumentError("key and value must be given together");
  }
  shape.packed = inputs[kKey] == nullptr;
  shape.total = total;
  RETURN_IF_ERROR(ReadQuery(inputs, &shape));
  RETURN_IF_ERROR(ReadKeys(inputs, &shape));
  RETURN_IF_ERROR(CheckCaches(attributes, inputs, shape));
  if (total.known() &&
      (total.value < 1 || (shape.rows.known() && total.value < shape.rows.value))) {
    return absl::InvalidArgumentError(absl::StrCat("total_sequence_length is ", total.value,
                                                   " for ", shape.rows.value, " new tokens"));
  }
  if (inputs[kAdded] != nullptr) {
    RETURN_IF_ERROR(
        CheckAddedBias(*inputs[kAdded], shape.batch, Dim(shape.heads), shape.rows, shape.total));
  }
  if (inputs[kSinks] != nullptr) {
    Dim heads = shape.heads;
    RETURN_IF_ERROR(MatchDims("head_sink", *inputs[kSinks], {&heads}));
  }
  return shape;
}

}  // namespace inferd::group_query
