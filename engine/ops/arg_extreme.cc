#include "engine/ops/arg_extreme.h"

#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/reduce.h"

namespace inferd {
namespace {

absl::Status Infer(InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  SymbolicShape output;
  if (input.has_rank()) {
    ASSIGN_OR_RETURN(const int axis,
                     NormalizeAxis(context.attributes().Int("axis", 0), input.rank()));
    std::vector<bool> reduced(input.rank(), false);
    reduced[axis] = true;
    output = ReducedShape(input, reduced, context.attributes().Int("keepdims", 1) != 0);
  }
  context.SetOutput(0, DType::kInt64, std::move(output));
  return absl::OkStatus();
}

template <typename T>
int64_t FindExtreme(const T* line, int64_t size, int64_t stride, bool greatest, bool last) {
  int64_t best = 0;
  for (int64_t i = 1; i < size; ++i) {
    const T& x = line[i * stride];
    const T& y = line[best * stride];
    const bool equal = x == y || (IsNanValue(x) && IsNanValue(y));
    const bool better = !IsNanValue(y) && (IsNanValue(x) || (greatest ? y < x : x < y));
    if (better || (last && equal)) best = i;
  }
  return best;
}

}  // namespace

absl::Status ComputeArgExtreme(KernelContext& context, bool greatest) {
  const Tensor& x = context.input(0);
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(attributes.Int("axis", 0), x.rank()));
  std::vector<bool> reduced(x.rank(), false);
  reduced[axis] = true;
  const Shape shape =
      ReducedShape(x.shape(), reduced, attributes.Int("keepdims", 1) != 0).ToShape();
  if (x.dim(axis) == 0 && shape.num_elements() > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("axis ", axis, " of ", x.TypeString(), " is empty: it has no extreme"));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kInt64, shape));
  const bool last = attributes.Int("select_last_index", 0) != 0;
  const int64_t size = x.dim(axis);
  const int64_t inner = x.shape().Product(axis + 1, x.rank());
  return DispatchNumeric(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < shape.num_elements(); ++i) {
      const T* line = x.data<T>() + i / inner * size * inner + i % inner;
      y->mutable_data<int64_t>()[i] = FindExtreme(line, size, inner, greatest, last);
    }
    return absl::OkStatus();
  });
}

OpDef ArgExtremeDef(absl::string_view name, absl::Status (*compute)(KernelContext&)) {
  return {.name = name,
          .since = 13,
          .attributes = {{"axis", AttributeKind::kInt},
                         {"keepdims", AttributeKind::kInt},
                         {"select_last_index", AttributeKind::kInt}},
          .infer = Infer,
          .compute = compute};
}

}  // namespace inferd
