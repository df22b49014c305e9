#include <algorithm>
#include <numeric>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/index_check.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckK(int64_t k, int64_t limit) {
  if (k >= 0 && k <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("k is ", k, ", the axis has ", limit));
}

absl::Status Infer(InferContext& context) {
  SymbolicShape shape = context.shape(0);
  if (shape.has_rank()) {
    ASSIGN_OR_RETURN(const int axis,
                     NormalizeAxis(context.attributes().Int("axis", -1), shape.rank()));
    const Dim limit = shape[axis];
    shape[axis] = Dim();
    if (context.constant(1) != nullptr) {
      ASSIGN_OR_RETURN(const int64_t k, OneInteger(*context.constant(1), "k"));
      RETURN_IF_ERROR(CheckK(k, limit.known() ? limit.value : INT64_MAX));
      shape[axis] = k;
    }
  }
  context.SetOutput(0, context.dtype(0), shape);
  context.SetOutput(1, DType::kInt64, shape);
  return absl::OkStatus();
}

// The axis of the input, seen as [outer, size, inner], and how many of it to take.
struct Selection {
  int64_t size;
  int64_t inner;
  int64_t lines;
  int64_t k;
  bool largest;
};

// Fills `order` with the positions of a line's k best elements, best first; equal elements keep
// their order.
template <typename T>
void SelectLine(const T* line, const Selection& s, std::vector<int64_t>* order) {
  std::iota(order->begin(), order->end(), 0);
  std::partial_sort(order->begin(), order->begin() + s.k, order->end(), [&](int64_t a, int64_t b) {
    const T& x = line[a * s.inner];
    const T& y = line[b * s.inner];
    if (OrderedLess(x, y)) return !s.largest;
    if (OrderedLess(y, x)) return s.largest;
    return a < b;
  });
}

template <typename T>
void SelectAll(const Tensor& x, const Selection& s, Tensor* values, Tensor* indices) {
  std::vector<int64_t> order(s.size);
  for (int64_t i = 0; i < s.lines; ++i) {
    const int64_t outer = i / s.inner;
    const int64_t inner = i % s.inner;
    const T* line = x.data<T>() + outer * s.size * s.inner + inner;
    SelectLine(line, s, &order);
    for (int64_t j = 0; j < s.k; ++j) {
      const int64_t at = (outer * s.k + j) * s.inner + inner;
      if (values != nullptr) values->mutable_data<T>()[at] = line[order[j] * s.inner];
      if (indices != nullptr) indices->mutable_data<int64_t>()[at] = order[j];
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(attributes.Int("axis", -1), x.rank()));
  ASSIGN_OR_RETURN(const int64_t k, OneInteger(context.input(1), "k"));
  RETURN_IF_ERROR(CheckK(k, x.dim(axis)));
  Shape shape = x.shape();
  shape[axis] = k;
  Tensor* values = nullptr;
  Tensor* indices = nullptr;
  if (context.wants_output(0)) {
    ASSIGN_OR_RETURN(values, context.Output(0, x.dtype(), shape));
  }
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(indices, context.Output(1, DType::kInt64, shape));
  }
  if (shape.num_elements() == 0) return absl::OkStatus();
  const int64_t inner = x.shape().Product(axis + 1, x.rank());
  const Selection selection = {x.dim(axis), inner, x.shape().Product(0, axis) * inner, k,
                               attributes.Int("largest", 1) != 0};
  return DispatchNumeric(x.dtype(), [&](auto tag) {
    SelectAll<typename decltype(tag)::type>(x, selection, values, indices);
    return absl::OkStatus();
  });
}

}  // namespace

OpDef TopK() {
  return {.name = "TopK",
          .since = 24,
          .min_inputs = 2,
          .max_inputs = 2,
          .max_outputs = 2,
          .attributes = {{"axis", AttributeKind::kInt},
                         {"largest", AttributeKind::kInt},
                         {"sorted", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
