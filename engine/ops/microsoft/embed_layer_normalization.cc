#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"
#include "engine/ops/index_check.h"
#include "engine/ops/input_shapes.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input {
  kIds,
  kSegments,
  kWords,
  kPlaces,
  kKinds,
  kGamma,
  kBeta,
  kMask,
  kPositions,
  kInputs,
};
enum Output { kY, kMaskIndex, kSum };

// Ids, segments and mask are [batch,rows], the embeddings [.,hidden], Y [batch,rows,hidden].
struct EmbedShape {
  Dim batch, rows, hidden, words, places, kinds;
};

absl::StatusOr<EmbedShape> Resolve(const SymbolicShape* const (&inputs)[kInputs]) {
  EmbedShape shape;
  for (auto [i, name] : {std::pair(kIds, "input_ids"), std::pair(kSegments, "segment_ids"),
                         std::pair(kMask, "mask")}) {
    if (inputs[i] != nullptr) {
      RETURN_IF_ERROR(MatchDims(name, *inputs[i], {&shape.batch, &shape.rows}));
    }
  }
  RETURN_IF_ERROR(MatchDims("word_embedding", *inputs[kWords], {&shape.words, &shape.hidden}));
  RETURN_IF_ERROR(
      MatchDims("position_embedding", *inputs[kPlaces], {&shape.places, &shape.hidden}));
  if (inputs[kKinds] != nullptr) {
    RETURN_IF_ERROR(MatchDims("segment_embedding", *inputs[kKinds], {&shape.kinds, &shape.hidden}));
  }
  RETURN_IF_ERROR(MatchDims("gamma", *inputs[kGamma], {&shape.hidden}));
  RETURN_IF_ERROR(MatchDims("beta", *inputs[kBeta], {&shape.hidden}));
  if (inputs[kPositions] != nullptr) {
    Dim batch;  // the batch, or 1
    RETURN_IF_ERROR(MatchDims("position_ids", *inputs[kPositions], {&batch, &shape.rows}));
    if (batch.known() && !batch.Is(1)) {
      RETURN_IF_ERROR(UnifyDim("batch of position_ids", batch, &shape.batch));
    }
  }
  if ((inputs[kSegments] == nullptr) != (inputs[kKinds] == nullptr)) {
    return absl::InvalidArgumentError("segment_ids and segment_embedding must be given together");
  }
  return shape;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputsGiven(context, {kIds, kWords, kPlaces, kGamma, kBeta}));
  RETURN_IF_ERROR(CheckInputType(context, kWords, {DType::kFloat32, DType::kFloat16}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kWords, kPlaces, kKinds, kGamma, kBeta}));
  for (int i : {kIds, kSegments, kMask, kPositions}) {
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kInt32}));
  }
  const InputShapes<kInputs> inputs(context);
  ASSIGN_OR_RETURN(const EmbedShape shape, Resolve(inputs.pointers()));
  const DType dtype = context.dtype(kWords);
  context.SetOutput(kY, dtype, {shape.batch, shape.rows, shape.hidden});
  context.SetOutput(kMaskIndex, DType::kInt32, {shape.batch});
  context.SetOutput(kSum, dtype, {shape.batch, shape.rows, shape.hidden});
  return absl::OkStatus();
}

// The row of an embedding that each token takes.
absl::StatusOr<std::vector<int64_t>> Rows(const KernelContext& context, int input,
                                          absl::string_view name, int64_t limit) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> rows, context.input(input).ToInt64s());
  for (int64_t row : rows) {
    if (row >= 0 && row < limit) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name, " has ", row, " for an embedding of ", limit, " rows"));
  }
  return rows;
}

// Positions 0, 1, ... of every batch entry when none are given.
absl::StatusOr<std::vector<int64_t>> PositionRows(const KernelContext& context,
                                                  const EmbedShape& shape) {
  std::vector<int64_t> rows;
  if (context.has_input(kPositions)) {
    ASSIGN_OR_RETURN(rows, Rows(context, kPositions, "position_ids", shape.places.value));
    return rows;
  }
  if (shape.rows.value > shape.places.value) {
    return absl::InvalidArgumentError(absl::StrCat("the sequence has ", shape.rows.value,
                                                   " tokens, the position embedding ",
                                                   shape.places.value, " rows"));
  }
  for (int64_t i = 0; i < shape.rows.value; ++i) rows.push_back(i);
  return rows;
}

// How many tokens of each batch entry the mask shows; 0 without a mask.
absl::Status StoreMaskIndex(KernelContext& context, const EmbedShape& shape) {
  if (!context.wants_output(kMaskIndex)) return absl::OkStatus();
  ASSIGN_OR_RETURN(Tensor * output,
                   context.Output(kMaskIndex, DType::kInt32, Shape({shape.batch.value})));
  for (int64_t b = 0; b < shape.batch.value; ++b) {
    int32_t shown = 0;
    for (int64_t i = 0; context.has_input(kMask) && i < shape.rows.value; ++i) {
      if (context.input(kMask).data<int32_t>()[b * shape.rows.value + i] == 1) ++shown;
    }
    output->mutable_data<int32_t>()[b] = shown;
  }
  return absl::OkStatus();
}

// The embeddings of one token, added up, and their normalization.
template <typename T>
void EmbedToken(const std::vector<const T*>& embeddings, const T* gamma, const T* beta,
                double epsilon, int64_t hidden, T* y, T* sum_out) {
  std::vector<double> sum(hidden, 0.0);
  for (const T* embedding : embeddings) {
    for (int64_t j = 0; j < hidden; ++j) sum[j] += static_cast<double>(embedding[j]);
  }
  const Moments moments = MomentsOf(sum.data(), hidden);
  const double inverse = 1 / std::sqrt(moments.variance + epsilon);
  for (int64_t j = 0; j < hidden; ++j) {
    if (sum_out != nullptr) sum_out[j] = static_cast<T>(sum[j]);
    if (y == nullptr) continue;
    y[j] = static_cast<T>((sum[j] - moments.mean) * inverse * static_cast<double>(gamma[j]) +
                          static_cast<double>(beta[j]));
  }
}

absl::Status Compute(KernelContext& context) {
  const InputShapes<kInputs> inputs(context);
  ASSIGN_OR_RETURN(const EmbedShape shape, Resolve(inputs.pointers()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> words,
                   Rows(context, kIds, "input_ids", shape.words.value));
  ASSIGN_OR_RETURN(const std::vector<int64_t> places, PositionRows(context, shape));
  std::vector<int64_t> kinds;
  if (context.has_input(kSegments)) {
    ASSIGN_OR_RETURN(kinds, Rows(context, kSegments, "segment_ids", shape.kinds.value));
  }
  RETURN_IF_ERROR(StoreMaskIndex(context, shape));
  const DType dtype = context.input(kWords).dtype();
  const int64_t hidden = shape.hidden.value;
  const Shape full({shape.batch.value, shape.rows.value, hidden});
  Tensor* outputs[3] = {};
  for (int i : {kY, kSum}) {
    if (!context.wants_output(i)) continue;
    ASSIGN_OR_RETURN(outputs[i], context.Output(i, dtype, full));
  }
  const double epsilon = context.attributes().Float("epsilon", 1e-12f);
  return DispatchTypes<float, Float16>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto row = [&](int input, int64_t i) {
      return context.input(input).data<T>() + i * hidden;
    };
    const auto to = [&](int output, size_t t) {
      return outputs[output] == nullptr ? nullptr : outputs[output]->mutable_data<T>() + t * hidden;
    };
    for (size_t t = 0; t < words.size(); ++t) {
      std::vector<const T*> embeddings = {row(kWords, words[t]),
                                          row(kPlaces, places[t % places.size()])};
      if (!kinds.empty()) embeddings.push_back(row(kKinds, kinds[t]));
      EmbedToken(embeddings, row(kGamma, 0), row(kBeta, 0), epsilon, hidden, to(kY, t),
                 to(kSum, t));
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef EmbedLayerNormalization() {
  return {
      .domain = "com.microsoft",
      .name = "EmbedLayerNormalization",
      .min_inputs = 1,
      .max_inputs = kInputs,
      .max_outputs = 3,
      .attributes = {{"epsilon", AttributeKind::kFloat}, {"mask_index_type", AttributeKind::kInt}},
      .infer = Infer,
      .compute = Compute};
}

}  // namespace inferd::ops::microsoft
