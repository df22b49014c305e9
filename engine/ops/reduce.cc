#include "engine/ops/reduce.h"

namespace inferd {
namespace {

// Which axes of a tensor of that rank are reduced; null `axes` is the absent input.
absl::StatusOr<std::vector<bool>> ReducedAxes(const std::vector<int64_t>* axes, bool noop_if_empty,
                                              int rank) {
  if (axes == nullptr || axes->empty()) return std::vector<bool>(rank, !noop_if_empty);
  ASSIGN_OR_RETURN(const std::vector<int> normalized, NormalizeAxes(*axes, rank));
  std::vector<bool> reduced(rank, false);
  for (int axis : normalized) reduced[axis] = true;
  return reduced;
}

bool KeepsDims(const Attributes& attributes) { return attributes.Int("keepdims", 1) != 0; }

bool NoopIfEmpty(const Attributes& attributes) {
  return attributes.Int("noop_with_empty_axes", 0) != 0;
}

// What is known of the output while the axes are not.
SymbolicShape ShapeWithoutAxes(const InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  if (!input.has_rank()) return SymbolicShape::UnknownRank();
  if (KeepsDims(context.attributes())) return SymbolicShape::OfRank(input.rank());
  const SymbolicShape& count = context.shape(1);
  if (count.rank() == 1 && count[0].known() && count[0].value > 0 &&
      count[0].value <= input.rank()) {
    return SymbolicShape::OfRank(input.rank() - static_cast<int>(count[0].value));
  }
  return SymbolicShape::UnknownRank();
}

}  // namespace

SymbolicShape ReducedShape(const SymbolicShape& input, const std::vector<bool>& reduced,
                           bool keep_dims) {
  std::vector<Dim> dims;
  for (int i = 0; i < input.rank(); ++i) {
    if (!reduced[i]) dims.push_back(input[i]);
    if (reduced[i] && keep_dims) dims.push_back(Dim(1));
  }
  return SymbolicShape(std::move(dims));
}

absl::Status InferReduce(InferContext& context) {
  ASSIGN_OR_RETURN(const auto axes, context.Int64s(1));
  const SymbolicShape& input = context.shape(0);
  if (!input.has_rank() || (context.has_input(1) && !axes)) {
    context.SetOutput(0, context.dtype(0), ShapeWithoutAxes(context));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const std::vector<bool> reduced,
      ReducedAxes(axes ? &*axes : nullptr, NoopIfEmpty(context.attributes()), input.rank()));
  context.SetOutput(0, context.dtype(0),
                    ReducedShape(input, reduced, KeepsDims(context.attributes())));
  return absl::OkStatus();
}

absl::StatusOr<Reduction> MakeReduction(const KernelContext& context) {
  const Tensor& x = context.input(0);
  std::vector<int64_t> axes;
  if (context.has_input(1)) {
    ASSIGN_OR_RETURN(axes, context.input(1).ToInt64s());
  }
  ASSIGN_OR_RETURN(const std::vector<bool> reduced,
                   ReducedAxes(&axes, NoopIfEmpty(context.attributes()), x.rank()));
  Reduction reduction;
  reduction.output = ReducedShape(x.shape(), reduced, KeepsDims(context.attributes())).ToShape();
  const Shape::Dims strides = x.shape().RowMajorStrides();
  for (int i = 0; i < x.rank(); ++i) {
    if (reduced[i]) {
      reduction.reduced_dims.push_back(x.dim(i));
      reduction.reduced_strides.push_back(strides[i]);
    } else {
      reduction.kept_dims.push_back(x.dim(i));
      reduction.kept_strides.push_back(strides[i]);
    }
  }
  reduction.count = Shape(reduction.reduced_dims).num_elements();
  return reduction;
}

OpDef ReduceDef(absl::string_view name, int since, absl::Status (*compute)(KernelContext&)) {
  return {.name = name,
          .since = since,
          .min_inputs = 1,
          .max_inputs = 2,
          .attributes = {{"keepdims", AttributeKind::kInt},
                         {"noop_with_empty_axes", AttributeKind::kInt}},
          .infer = InferReduce,
          .compute = compute};
}

}  // namespace inferd
