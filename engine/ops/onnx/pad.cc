#include <numeric>
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/element_storage.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

enum class Mode : uint8_t { kConstant, kReflect, kEdge, kWrap };

absl::StatusOr<Mode> ParseMode(const Attributes& attributes) {
  const std::string mode = attributes.String("mode", "constant");
  if (mode == "constant") return Mode::kConstant;
  if (mode == "reflect") return Mode::kReflect;
  if (mode == "edge") return Mode::kEdge;
  if (mode == "wrap") return Mode::kWrap;
  return absl::InvalidArgumentError(
      absl::StrCat("mode is \"", mode, "\", expected constant, reflect, edge or wrap"));
}

// Elements added before and after each axis; negative ones are removed.
struct Padding {
  Shape::Dims before;
  Shape::Dims after;
};

absl::StatusOr<Padding> MakePadding(const std::vector<int64_t>& pads,
                                    const std::vector<int64_t>* axes, int rank) {
  std::vector<int> normalized(rank);
  std::iota(normalized.begin(), normalized.end(), 0);
  if (axes != nullptr) {
    ASSIGN_OR_RETURN(normalized, NormalizeAxes(*axes, rank));
  }
  if (pads.size() != 2 * normalized.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pads has ", pads.size(), " entries for ", normalized.size(), " axes"));
  }
  Padding padding;
  padding.before.assign(rank, 0);
  padding.after.assign(rank, 0);
  for (size_t i = 0; i < normalized.size(); ++i) {
    padding.before[normalized[i]] = pads[i];
    padding.after[normalized[i]] = pads[i + normalized.size()];
  }
  return padding;
}

absl::StatusOr<SymbolicShape> PaddedShape(const SymbolicShape& input, const Padding& padding) {
  constexpr int64_t kMostPadding = int64_t{1} << 48;
  SymbolicShape output = input;
  for (int i = 0; i < input.rank(); ++i) {
    const int64_t before = padding.before[i];
    const int64_t after = padding.after[i];
    if (before == 0 && after == 0) continue;
    const bool sane = before > -kMostPadding && before < kMostPadding && after > -kMostPadding &&
                      after < kMostPadding;
    const int64_t size = sane && input[i].known() ? input[i].value + before + after : 0;
    if (!sane || size < 0) {
      return absl::InvalidArgumentError(absl::StrCat("pads ", before, " and ", after, " of axis ",
                                                     i, " do not fit ", input.ToString()));
    }
    output[i] = input[i].known() ? Dim(size) : Dim();
  }
  return output;
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  ASSIGN_OR_RETURN(const auto pads, context.Int64s(1));
  ASSIGN_OR_RETURN(const auto axes, context.Int64s(3));
  SymbolicShape shape;
  if (input.has_rank() && pads && (axes || !context.has_input(3))) {
    ASSIGN_OR_RETURN(const Padding padding,
                     MakePadding(*pads, axes ? &*axes : nullptr, input.rank()));
    ASSIGN_OR_RETURN(shape, PaddedShape(input, padding));
  } else if (input.has_rank()) {
    shape = SymbolicShape::OfRank(input.rank());
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

// Where the element at `at` (below 0 and beyond `size` in the padding) comes from; -1 is the fill.
int64_t SourceOf(int64_t at, int64_t size, Mode mode) {
  if (at >= 0 && at < size) return at;
  switch (mode) {
    case Mode::kConstant:
      return -1;
    case Mode::kEdge:
      return at < 0 ? 0 : size - 1;
    case Mode::kWrap:
      return (at % size + size) % size;
    case Mode::kReflect: {
      if (size == 1) return 0;
      const int64_t period = 2 * (size - 1);
      const int64_t phase = (at % period + period) % period;
      return phase < size ? phase : period - phase;
    }
  }
  return -1;
}

// For each axis and output index the source offset along it, -1 for the fill.
absl::StatusOr<std::vector<std::vector<int64_t>>> SourceOffsets(const Shape& input,
                                                                const Shape& output,
                                                                const Padding& padding, Mode mode) {
  const Shape::Dims strides = input.RowMajorStrides();
  std::vector<std::vector<int64_t>> offsets(input.rank());
  for (int axis = 0; axis < input.rank(); ++axis) {
    if (input[axis] == 0 && mode != Mode::kConstant) {
      return absl::InvalidArgumentError(
          absl::StrCat("axis ", axis, " is empty: nothing to pad with"));
    }
    for (int64_t i = 0; i < output[axis]; ++i) {
      const int64_t source = SourceOf(i - padding.before[axis], input[axis], mode);
      offsets[axis].push_back(source < 0 ? -1 : source * strides[axis]);
    }
  }
  return offsets;
}

// Writes the output row by row; a row is one line of the last axis.
template <typename T>
void WriteRows(const Tensor& x, const std::vector<std::vector<int64_t>>& offsets, const T& fill,
               Tensor* y) {
  const int last = x.rank() - 1;
  const std::vector<int64_t>& row_offsets = offsets[last];
  const auto columns = static_cast<int64_t>(row_offsets.size());
  const int64_t rows = y->num_elements() / columns;
  Shape::Dims index(last, 0);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t base = 0;
    for (int axis = 0; axis < last && base >= 0; ++axis) {
      const int64_t offset = offsets[axis][index[axis]];
      base = offset < 0 ? -1 : base + offset;
    }
    T* out = y->mutable_data<T>() + row * columns;
    for (int64_t i = 0; i < columns; ++i) {
      out[i] = base < 0 || row_offsets[i] < 0 ? fill : x.data<T>()[base + row_offsets[i]];
    }
    for (int axis = last - 1; axis >= 0; --axis) {
      if (++index[axis] < y->dim(axis)) break;
      index[axis] = 0;
    }
  }
}

absl::StatusOr<Padding> ReadPadding(const KernelContext& context) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> pads, context.input(1).ToInt64s());
  std::vector<int64_t> axes;
  if (context.has_input(3)) {
    ASSIGN_OR_RETURN(axes, context.input(3).ToInt64s());
  }
  return MakePadding(pads, context.has_input(3) ? &axes : nullptr, context.input(0).rank());
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const Mode mode, ParseMode(context.attributes()));
  ASSIGN_OR_RETURN(const Padding padding, ReadPadding(context));
  ASSIGN_OR_RETURN(const SymbolicShape padded, PaddedShape(x.shape(), padding));
  const Tensor* fill = context.has_input(2) ? &context.input(2) : nullptr;
  if (fill != nullptr && (fill->dtype() != x.dtype() || fill->num_elements() != 1)) {
    return absl::InvalidArgumentError(absl::StrCat("constant_value is ", fill->TypeString(),
                                                   ", expected one ", DTypeName(x.dtype())));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), padded.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  if (x.rank() == 0) {
    CopyElements(x, 0, y, 0, 1);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto offsets, SourceOffsets(x.shape(), y->shape(), padding, mode));
  DispatchStorage(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    WriteRows<T>(x, offsets, fill != nullptr ? *fill->data<T>() : T(), y);
  });
  return absl::OkStatus();
}

}  // namespace

OpDef Pad() {
  return {.name = "Pad",
          .since = 25,
          .min_inputs = 2,
          .max_inputs = 4,
          .attributes = {{"mode", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
