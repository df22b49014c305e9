#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kCache, kUpdate, kIndices };

absl::StatusOr<bool> IsCircular(const Attributes& attributes) {
  const std::string mode = attributes.String("mode", "linear");
  if (mode == "linear" || mode == "circular") return mode == "circular";
  return absl::InvalidArgumentError(
      absl::StrCat("attribute mode is \"", mode, "\", expected linear or circular"));
}

// The sequence axis. The update has the cache's shape but for that axis, where it is no longer.
absl::StatusOr<int> CheckShapes(const Attributes& attributes, const SymbolicShape& cache,
                                const SymbolicShape& update, const SymbolicShape& indices) {
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(attributes.Int("axis", -2), cache.rank()));
  if (axis == 0) return absl::InvalidArgumentError("axis is 0, the batch");
  bool fits = !update.has_rank() || update.rank() == cache.rank();
  for (int i = 0; fits && i < update.rank(); ++i) {
    fits = !cache[i].known() || !update[i].known() ||
           (i == axis ? update[i].value <= cache[i].value : update[i].value == cache[i].value);
  }
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat("update ", update.ToString(),
                                                   " does not fit past_cache ", cache.ToString(),
                                                   " with sequence axis ", axis));
  }
  if (indices.has_rank() && (indices.rank() != 1 || (indices[0].known() && cache[0].known() &&
                                                     indices[0].value != cache[0].value))) {
    return absl::InvalidArgumentError(absl::StrCat("write_indices has shape ", indices.ToString(),
                                                   ", expected [", cache[0].value, "]"));
  }
  return axis;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kCache, kUpdate}));
  RETURN_IF_ERROR(CheckInputType(context, kIndices, {DType::kInt64}));
  RETURN_IF_ERROR(IsCircular(context.attributes()).status());
  if (context.shape(kCache).has_rank()) {
    const SymbolicShape indices =
        context.has_input(kIndices) ? context.shape(kIndices) : SymbolicShape();
    RETURN_IF_ERROR(
        CheckShapes(context.attributes(), context.shape(kCache), context.shape(kUpdate), indices)
            .status());
  }
  return InferSameAsFirst(context);
}

// Where the update of each sample begins, in [0, length).
absl::StatusOr<std::vector<int64_t>> ReadIndices(const KernelContext& context, bool circular,
                                                 int64_t length, int64_t update_length) {
  if (!context.has_input(kIndices)) {
    return std::vector<int64_t>(context.input(kCache).dim(0), 0);
  }
  ASSIGN_OR_RETURN(std::vector<int64_t> indices, context.input(kIndices).ToInt64s());
  for (int64_t& index : indices) {
    if (circular && length > 0) index = (index % length + length) % length;
    if (index < 0 || (!circular && index > length - update_length)) {
      return absl::InvalidArgumentError(absl::StrCat("write_indices has ", index, ", but ",
                                                     update_length, " entries go into a cache of ",
                                                     length));
    }
  }
  return indices;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& cache = context.input(kCache);
  const Tensor& update = context.input(kUpdate);
  ASSIGN_OR_RETURN(const bool circular, IsCircular(context.attributes()));
  const SymbolicShape indices_shape = context.has_input(kIndices)
                                          ? SymbolicShape(context.input(kIndices).shape())
                                          : SymbolicShape();
  ASSIGN_OR_RETURN(const int axis,
                   CheckShapes(context.attributes(), cache.shape(), update.shape(), indices_shape));
  const int64_t length = cache.dim(axis), count = update.dim(axis);
  ASSIGN_OR_RETURN(const std::vector<int64_t> indices,
                   ReadIndices(context, circular, length, count));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, cache.dtype(), cache.shape()));
  CopyElements(cache, 0, y, 0, cache.num_elements());
  const int64_t prefixes = cache.shape().Product(1, axis);
  const int64_t inner = cache.shape().Product(axis + 1, cache.rank());
  for (int64_t p = 0; p < cache.dim(0) * prefixes; ++p) {
    const int64_t begin = indices[p / prefixes];
    for (int64_t s = 0; s < count; ++s) {
      const int64_t at = (begin + s) % length;
      CopyElements(update, (p * count + s) * inner, y, (p * length + at) * inner, inner);
    }
  }
  return absl::OkStatus();
}

}  // namespace

OpDef TensorScatter() {
  return {.name = "TensorScatter",
          .since = 24,
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = {{"axis", AttributeKind::kInt}, {"mode", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
