#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/element_storage.h"
#include "engine/ops/index_check.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  if (context.shape(0).has_rank() && context.shape(0).rank() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("input has rank ", context.shape(0).rank(), ", expected a matrix"));
  }
  return InferSameAsFirst(context);
}

// Writes one row of `columns` elements, of which [begin, end) are kept.
template <typename T>
void CopyRow(const T* in, T* out, int64_t columns, int64_t begin, int64_t end) {
  std::fill_n(out, begin, T());
  std::copy(in + begin, in + end, out + begin);
  std::fill(out + end, out + columns, T());
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2) return absl::InvalidArgumentError("input is not a matrix");
  int64_t k = 0;
  if (context.has_input(1)) {
    ASSIGN_OR_RETURN(k, OneInteger(context.input(1), "k"));
  }
  const bool upper = context.attributes().Int("upper", 1) != 0;
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  const int64_t rows = x.dim(x.rank() - 2);
  const int64_t columns = x.dim(x.rank() - 1);
  if (x.num_elements() == 0) return absl::OkStatus();
  const int64_t diagonal = std::clamp<int64_t>(k, -rows, columns);
  const int64_t all_rows = x.num_elements() / columns;
  DispatchStorage(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < all_rows; ++i) {
      // Above the diagonal from `first` on; the lower part includes the diagonal itself.
      const int64_t first = i % rows + diagonal + (upper ? 0 : 1);
      const int64_t border = std::clamp<int64_t>(first, 0, columns);
      CopyRow(x.data<T>() + i * columns, y->mutable_data<T>() + i * columns, columns,
              upper ? border : 0, upper ? columns : border);
    }
  });
  return absl::OkStatus();
}

}  // namespace

OpDef Trilu() {
  return {.name = "Trilu",
          .since = 14,
          .min_inputs = 1,
          .max_inputs = 2,
          .attributes = {{"upper", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
