#include <algorithm>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/op_def.h"
#include "engine/ops/packed_sequences.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::internal {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 1, {DType::kInt64}));
  const SymbolicShape& shape = context.shape(0);
  const int64_t axis = context.attributes().Int("axis", 0);
  if (shape.IsConcrete() && (axis < 0 || axis >= shape.rank() ||
                             shape.ToShape().Product(0, static_cast<int>(axis)) != 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected sizes of 1 before axis ", axis, ", got shape ", shape.ToString()));
  }
  return InferSameAsFirst(context);
}

template <typename T>
void Accumulate(const Tensor& x, absl::Span<const int64_t> offsets, int64_t row, bool exclusive,
                Tensor& y) {
  using Wide = std::conditional_t<std::is_class_v<T>, float, T>;
  T* const to = y.mutable_data<T>();
  std::fill(to + offsets.back() * row, to + y.num_elements(), T());
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    for (int64_t column = 0; column < row; ++column) {
      Wide total = 0;
      for (int64_t token = offsets[s]; token < offsets[s + 1]; ++token) {
        const int64_t at = token * row + column;
        const Wide next = WrappingAdd(total, static_cast<Wide>(x.data<T>()[at]));
        to[at] = T(exclusive ? total : next);
        total = next;
      }
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const int axis = static_cast<int>(context.attributes().Int("axis", 0));
  const bool exclusive = context.attributes().Int("exclusive", 0) != 0;
  const absl::Span<const int64_t> offsets = context.input(1).values<int64_t>();
  if (offsets.empty()) return absl::InvalidArgumentError("there are no offsets");
  RETURN_IF_ERROR(CheckSequenceOffsets(offsets, x.dim(axis)));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  const int64_t row = x.shape().Product(axis + 1, x.rank());
  return DispatchNumeric(x.dtype(), [&](auto tag) {
    Accumulate<typename decltype(tag)::type>(x, offsets, row, exclusive, *y);
    return absl::OkStatus();
  });
}

}  // namespace

// CumSum within each of the sequences that lie one behind the other along `axis`, before which all
// sizes are 1. Inputs: the tokens, and where each sequence begins and the last one ends, int64
// [sequences + 1]; what is behind it becomes 0. Made by PackSequences, over bound shapes.
OpDef AccumulateSequences() {
  return {.domain = "inferd",
          .name = "AccumulateSequences",
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeKind::kInt}, {"exclusive", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
