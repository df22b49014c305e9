#include <algorithm>
#include <complex>
#include <numeric>
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  SymbolicShape values({Dim()});
  if (context.attributes().Has("axis")) {
    values = context.shape(0);
    if (values.has_rank()) {
      ASSIGN_OR_RETURN(const int axis,
                       NormalizeAxis(context.attributes().Int("axis", 0), values.rank()));
      values[axis] = Dim();
    }
  }
  context.SetOutput(0, context.dtype(0), std::move(values));
  for (int i = 1; i < context.num_outputs(); ++i) {
    context.SetOutput(i, DType::kInt64, SymbolicShape({Dim()}));
  }
  return absl::OkStatus();
}

constexpr int64_t kMostEmptyItems = 1 << 20;

// The input as [outer, count, inner]: `count` items, each of outer * inner elements.
struct Items {
  int64_t outer;
  int64_t count;
  int64_t inner;
};

template <typename T>
bool Less(const T& a, const T& b) {
  return OrderedLess(a, b);
}
template <typename T>
bool Less(const std::complex<T>& a, const std::complex<T>& b) {
  if (OrderedLess(a.real(), b.real())) return true;
  return !OrderedLess(b.real(), a.real()) && OrderedLess(a.imag(), b.imag());
}

// -1, 0 or 1 as item a is before, equal to or after item b, element by element.
template <typename T>
int CompareItems(const T* data, const Items& items, int64_t a, int64_t b) {
  for (int64_t o = 0; o < items.outer; ++o) {
    const T* x = data + (o * items.count + a) * items.inner;
    const T* y = data + (o * items.count + b) * items.inner;
    for (int64_t i = 0; i < items.inner; ++i) {
      if (Less<>(x[i], y[i])) return -1;
      if (Less<>(y[i], x[i])) return 1;
    }
  }
  return 0;
}

// The distinct items in output order.
struct Groups {
  std::vector<int64_t> first;    // per group: its first item
  std::vector<int64_t> count;    // per group: how many items
  std::vector<int64_t> inverse;  // per item: its group
};

template <typename T>
Groups GroupItems(const T* data, const Items& items, bool sorted) {
  std::vector<int64_t> order(items.count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return CompareItems(data, items, a, b) < 0; });
  // A stable sort puts the first item of a group at its front.
  Groups groups;
  groups.inverse.resize(items.count);
  for (int64_t i = 0; i < items.count; ++i) {
    if (i == 0 || CompareItems(data, items, order[i - 1], order[i]) != 0) {
      groups.first.push_back(order[i]);
      groups.count.push_back(0);
    }
    ++groups.count.back();
    groups.inverse[order[i]] = static_cast<int64_t>(groups.first.size()) - 1;
  }
  if (sorted) return groups;
  std::vector<int64_t> by_first(groups.first.size());
  std::iota(by_first.begin(), by_first.end(), 0);
  std::sort(by_first.begin(), by_first.end(),
            [&](int64_t a, int64_t b) { return groups.first[a] < groups.first[b]; });
  Groups result;
  result.inverse.resize(items.count);
  std::vector<int64_t> place(by_first.size());
  for (size_t i = 0; i < by_first.size(); ++i) {
    result.first.push_back(groups.first[by_first[i]]);
    result.count.push_back(groups.count[by_first[i]]);
    place[by_first[i]] = static_cast<int64_t>(i);
  }
  for (int64_t i = 0; i < items.count; ++i) result.inverse[i] = place[groups.inverse[i]];
  return result;
}

absl::Status SetIndices(KernelContext& context, int output, const std::vector<int64_t>& values) {
  if (!context.wants_output(output)) return absl::OkStatus();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(output, DType::kInt64,
                                              Shape({static_cast<int64_t>(values.size())})));
  std::copy(values.begin(), values.end(), y->mutable_data<int64_t>());
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  Shape shape({x.num_elements()});
  int axis = 0;
  if (context.attributes().Has("axis")) {
    shape = x.shape();
    ASSIGN_OR_RETURN(axis, NormalizeAxis(context.attributes().Int("axis", 0), x.rank()));
  }
  const Items items = {shape.Product(0, axis), shape[axis], shape.Product(axis + 1, shape.rank())};
  // Items without elements cost nothing in the input but much here.
  if (items.count > std::max(x.num_elements(), kMostEmptyItems)) {
    return absl::ResourceExhaustedError(absl::StrCat("input holds ", items.count, " empty items"));
  }
  const bool sorted = context.attributes().Int("sorted", 1) != 0;
  Groups groups;
  RETURN_IF_ERROR(
      (DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                     uint16_t, uint32_t, uint64_t, bool, std::string, std::complex<float>,
                     std::complex<double>>(x.dtype(), [&](auto tag) {
        groups = GroupItems(x.data<typename decltype(tag)::type>(), items, sorted);
        return absl::OkStatus();
      })));
  const auto distinct = static_cast<int64_t>(groups.first.size());
  shape[axis] = distinct;
  if (context.wants_output(0)) {
    ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
    const int64_t outer = y->num_elements() == 0 ? 0 : items.outer;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t g = 0; g < distinct; ++g) {
        CopyElements(x, (o * items.count + groups.first[g]) * items.inner, y,
                     (o * distinct + g) * items.inner, items.inner);
      }
    }
  }
  RETURN_IF_ERROR(SetIndices(context, 1, groups.first));
  RETURN_IF_ERROR(SetIndices(context, 2, groups.inverse));
  return SetIndices(context, 3, groups.count);
}

}  // namespace

OpDef Unique() {
  return {.name = "Unique",
          .since = 28,
          .max_outputs = 4,
          .attributes = {{"axis", AttributeKind::kInt}, {"sorted", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
