#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/op_def.h"
#include "engine/ops/packed_sequences.h"
#include "engine/ops/reduce.h"
#include "engine/ops/sequence_reduction.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::internal {
namespace {

using Kind = SequenceReduction::Kind;

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 1, {DType::kInt64}));
  const SymbolicShape& input = context.shape(0);
  const SymbolicShape& offsets = context.shape(1);
  if (!input.IsConcrete() || !offsets.IsConcrete()) {
    context.SetOutput(0, context.dtype(0), SymbolicShape());
    return absl::OkStatus();
  }
  if (offsets.rank() != 1 || offsets[0].value < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("offsets have shape ", offsets.ToString(), ", expected [sequences + 1]"));
  }
  ASSIGN_OR_RETURN(const SequenceReduction reduction,
                   SequenceReduction::Read(context.attributes(), input.rank()));
  Shape shape = input.ToShape();
  if (shape.Product(0, reduction.axis) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected sizes of 1 before axis ", reduction.axis, ", got shape ", shape.ToString()));
  }
  shape[reduction.axis] = offsets[0].value - 1;
  context.SetOutput(0, context.dtype(0), shape);
  return absl::OkStatus();
}

void CopyRows(Kind kind, const Tensor& x, absl::Span<const int64_t> offsets, int64_t row_bytes,
              Tensor& y) {
  const char* from = static_cast<const char*>(x.raw());
  char* to = static_cast<char*>(y.mutable_raw());
  std::memset(to, 0, y.byte_size());
  for (size_t s = 0; s + 1 < offsets.size(); ++s, to += row_bytes) {
    if (offsets[s] == offsets[s + 1]) continue;
    const int64_t token = kind == Kind::kFirst ? offsets[s] : offsets[s + 1] - 1;
    std::memcpy(to, from + token * row_bytes, row_bytes);
  }
}

// One column of the tokens [begin, end), at least one of them.
template <typename T>
T ReduceColumn(Kind kind, const T* x, int64_t begin, int64_t end, int64_t row) {
  T extreme = x[begin * row];
  WideSum<T> sum = 0;
  for (int64_t token = begin; token < end; ++token) {
    const T value = x[token * row];
    // A value that is no number stays.
    if (kind == Kind::kMax && !(value <= extreme)) extreme = value;
    if (kind == Kind::kMin && !(value >= extreme)) extreme = value;
    sum += static_cast<WideSum<T>>(value);
  }
  if (kind == Kind::kSum) return static_cast<T>(sum);
  if (kind == Kind::kMean) return static_cast<T>(sum / static_cast<WideSum<T>>(end - begin));
  return extreme;
}

template <typename T>
void ReduceRows(Kind kind, const Tensor& x, absl::Span<const int64_t> offsets, int64_t row,
                Tensor& y) {
  T* to = y.mutable_data<T>();
  std::fill_n(to, y.num_elements(), T());
  for (size_t s = 0; s + 1 < offsets.size(); ++s, to += row) {
    if (offsets[s] == offsets[s + 1]) continue;
    for (int64_t column = 0; column < row; ++column) {
      to[column] = ReduceColumn(kind, x.data<T>() + column, offsets[s], offsets[s + 1], row);
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const SequenceReduction reduction,
                   SequenceReduction::Read(context.attributes(), x.rank()));
  const absl::Span<const int64_t> offsets = context.input(1).values<int64_t>();
  RETURN_IF_ERROR(CheckSequenceOffsets(offsets, x.dim(reduction.axis)));
  Shape shape = x.shape();
  shape[reduction.axis] = static_cast<int64_t>(offsets.size()) - 1;
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  const int64_t row = shape.Product(reduction.axis + 1, shape.rank());
  if (reduction.kind == Kind::kFirst || reduction.kind == Kind::kLast) {
    CopyRows(reduction.kind, x, offsets, row * ElementBytes(x.dtype()), *y);
    return absl::OkStatus();
  }
  return DispatchNumeric(x.dtype(), [&](auto tag) {
    ReduceRows<typename decltype(tag)::type>(reduction.kind, x, offsets, row, *y);
    return absl::OkStatus();
  });
}

}  // namespace

// One entry a sequence from tokens that lie one sequence behind the other: their first, last, sum,
// mean, maximum or minimum (`kind`) along `axis`, before which all sizes are 1. Inputs: the tokens,
// and where each sequence begins and the last one ends, int64 [sequences + 1]. An empty sequence
// gives zeros. Made by PackSequences, over bound shapes.
OpDef ReduceSequences() {
  return {.domain = "inferd",
          .name = "ReduceSequences",
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"kind", AttributeKind::kString}, {"axis", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
