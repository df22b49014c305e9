#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

// What one axis keeps: `count` elements from `start`, `step` apart.
struct AxisSlice {
  int64_t start;
  int64_t count;
  int64_t step;
};

absl::StatusOr<AxisSlice> Normalized(int64_t dim, int64_t start, int64_t end, int64_t step) {
  if (step == 0) return absl::InvalidArgumentError("a step is 0");
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, dim);
    end = std::clamp<int64_t>(end, 0, dim);
  } else {
    start = std::clamp<int64_t>(start, -1, dim - 1);
    end = std::clamp<int64_t>(end, -1, dim - 1);
  }
  const int64_t distance = step > 0 ? end - start : start - end;
  if (distance <= 0) return AxisSlice{0, 0, 1};
  // The magnitude as unsigned: the smallest integer has no positive counterpart.
  const uint64_t magnitude =
      step > 0 ? static_cast<uint64_t>(step) : uint64_t{0} - static_cast<uint64_t>(step);
  const int64_t count = 1 + static_cast<int64_t>(static_cast<uint64_t>(distance - 1) / magnitude);
  return AxisSlice{start, count, count == 1 ? 1 : step};
}

// The parameters per given axis.
struct Parameters {
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> steps;
  std::vector<int> axes;
};

absl::StatusOr<Parameters> MakeParameters(std::vector<int64_t> starts, std::vector<int64_t> ends,
                                          std::optional<std::vector<int64_t>> axes,
                                          std::optional<std::vector<int64_t>> steps, int rank) {
  const size_t count = starts.size();
  if (!axes) {
    axes.emplace(count);
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (!steps) steps.emplace(count, 1);
  if (ends.size() != count || axes->size() != count || steps->size() != count) {
    return absl::InvalidArgumentError(absl::StrCat("starts, ends, axes and steps have ", count,
                                                   ", ", ends.size(), ", ", axes->size(), " and ",
                                                   steps->size(), " entries"));
  }
  ASSIGN_OR_RETURN(std::vector<int> normalized, NormalizeAxes(*axes, rank));
  return Parameters{std::move(starts), std::move(ends), *std::move(steps), std::move(normalized)};
}

// True when the slice keeps an axis whole, whatever its size.
bool KeepsAll(int64_t start, int64_t end, int64_t step) {
  return start == 0 && step == 1 && end >= INT32_MAX;
}

// With unknown starts or ends: only the sliced dimensions are lost.
absl::StatusOr<SymbolicShape> ShapeWithoutBounds(const InferContext& context,
                                                 const std::optional<std::vector<int64_t>>& axes) {
  SymbolicShape shape = context.shape(0);
  if (axes) {
    ASSIGN_OR_RETURN(const std::vector<int> normalized, NormalizeAxes(*axes, shape.rank()));
    for (int axis : normalized) shape[axis] = Dim();
    return shape;
  }
  int lost = shape.rank();
  const SymbolicShape& starts = context.shape(1);
  if (!context.has_input(3) && starts.rank() == 1 && starts[0].known()) {
    lost = static_cast<int>(std::min<int64_t>(lost, starts[0].value));
  }
  for (int i = 0; i < lost; ++i) shape[i] = Dim();
  return shape;
}

absl::Status Infer(InferContext& context) {
  if (!context.shape(0).has_rank()) {
    context.SetOutput(0, context.dtype(0), SymbolicShape());
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(auto starts, context.Int64s(1));
  ASSIGN_OR_RETURN(auto ends, context.Int64s(2));
  ASSIGN_OR_RETURN(auto axes, context.Int64s(3));
  ASSIGN_OR_RETURN(auto steps, context.Int64s(4));
  const bool known =
      starts && ends && (axes || !context.has_input(3)) && (steps || !context.has_input(4));
  if (!known) {
    ASSIGN_OR_RETURN(SymbolicShape shape, ShapeWithoutBounds(context, axes));
    context.SetOutput(0, context.dtype(0), std::move(shape));
    return absl::OkStatus();
  }
  SymbolicShape shape = context.shape(0);
  ASSIGN_OR_RETURN(const Parameters p,
                   MakeParameters(*std::move(starts), *std::move(ends), std::move(axes),
                                  std::move(steps), shape.rank()));
  for (size_t i = 0; i < p.axes.size(); ++i) {
    Dim& dim = shape[p.axes[i]];
    if (dim.known()) {
      ASSIGN_OR_RETURN(const AxisSlice slice,
                       Normalized(dim.value, p.starts[i], p.ends[i], p.steps[i]));
      dim = slice.count;
    } else if (!KeepsAll(p.starts[i], p.ends[i], p.steps[i])) {
      dim = Dim();
    }
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::vector<int64_t>>> OptionalIntegers(const KernelContext& context,
                                                                     int i) {
  if (!context.has_input(i)) return std::optional<std::vector<int64_t>>();
  ASSIGN_OR_RETURN(std::vector<int64_t> values, context.input(i).ToInt64s());
  return std::optional<std::vector<int64_t>>(std::move(values));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(std::vector<int64_t> starts, context.input(1).ToInt64s());
  ASSIGN_OR_RETURN(std::vector<int64_t> ends, context.input(2).ToInt64s());
  ASSIGN_OR_RETURN(auto axes, OptionalIntegers(context, 3));
  ASSIGN_OR_RETURN(auto steps, OptionalIntegers(context, 4));
  ASSIGN_OR_RETURN(const Parameters p, MakeParameters(std::move(starts), std::move(ends),
                                                      std::move(axes), std::move(steps), x.rank()));
  Shape shape = x.shape();
  StridedBlock source = WholeBlock(shape);
  for (size_t i = 0; i < p.axes.size(); ++i) {
    const int axis = p.axes[i];
    ASSIGN_OR_RETURN(const AxisSlice slice,
                     Normalized(x.dim(axis), p.starts[i], p.ends[i], p.steps[i]));
    shape[axis] = slice.count;
    source.offset += slice.start * source.strides[axis];
    source.strides[axis] *= slice.step;
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  CopyStrided(shape, x, source, y, WholeBlock(shape));
  return absl::OkStatus();
}

}  // namespace

OpDef Slice() {
  return {.name = "Slice",
          .since = 13,
          .min_inputs = 3,
          .max_inputs = 5,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
