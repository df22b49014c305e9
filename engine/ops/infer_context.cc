#include "engine/ops/infer_context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

absl::Status Incompatible(absl::string_view a, absl::string_view b) {
  return absl::InvalidArgumentError(
      absl::StrCat("shapes ", a, " and ", b, " cannot be broadcast together"));
}

absl::Status BroadcastAs(InferContext& context, DType dtype) {
  SymbolicShape shape = context.shape(0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    ASSIGN_OR_RETURN(shape, BroadcastShapes(shape, context.shape(i)));
  }
  context.SetOutput(0, dtype, std::move(shape));
  return absl::OkStatus();
}

absl::Status CheckSameDTypes(const InferContext& context) {
  for (int i = 1; i < context.num_inputs(); ++i) {
    // Only the first inputs of a variadic operator are known to be there.
    if (!context.has_input(i)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
    if (context.dtype(i) == DType::kInvalid) continue;
    if (context.dtype(0) != DType::kInvalid && context.dtype(i) != context.dtype(0)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " has element type ",
                                                     DTypeName(context.dtype(i)), ", input 0 has ",
                                                     DTypeName(context.dtype(0))));
    }
  }
  return absl::OkStatus();
}

}  // namespace

InferContext::InferContext(const Node& node, std::vector<const ValueType*> types,
                           std::vector<const Tensor*> constants)
    : node_(node),
      types_(std::move(types)),
      constants_(std::move(constants)),
      outputs_(node.outputs.size()) {}

bool InferContext::wants_output(int i) const {
  return i < num_outputs() && node_.outputs[i] != kNoValue;
}

void InferContext::SetOutput(int i, ValueType type) {
  if (i < num_outputs()) outputs_[i] = std::move(type);
}

absl::StatusOr<std::optional<std::vector<int64_t>>> InferContext::Int64s(int i) const {
  const Tensor* value = constant(i);
  if (value == nullptr) return std::optional<std::vector<int64_t>>();
  ASSIGN_OR_RETURN(std::vector<int64_t> values, value->ToInt64s());
  return std::optional<std::vector<int64_t>>(std::move(values));
}

absl::StatusOr<int> NormalizeAxis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    return absl::InvalidArgumentError(
        absl::StrCat("axis ", axis, " is outside [", -rank, ",", rank - 1, "]"));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

absl::StatusOr<int> NormalizeSplitAxis(int64_t axis, int rank) {
  if (axis == rank) return rank;
  return NormalizeAxis(axis, rank);
}

absl::StatusOr<std::vector<int>> NormalizeAxes(absl::Span<const int64_t> axes, int rank) {
  std::vector<int> result;
  for (int64_t axis : axes) {
    ASSIGN_OR_RETURN(const int normalized, NormalizeAxis(axis, rank));
    if (std::find(result.begin(), result.end(), normalized) != result.end()) {
      return absl::InvalidArgumentError(absl::StrCat("axis ", axis, " is given twice"));
    }
    result.push_back(normalized);
  }
  return result;
}

absl::StatusOr<SymbolicShape> BroadcastShapes(const SymbolicShape& a, const SymbolicShape& b) {
  if (!a.has_rank() || !b.has_rank()) return SymbolicShape::UnknownRank();
  const int rank = std::max(a.rank(), b.rank());
  SymbolicShape result = SymbolicShape::OfRank(rank);
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank());
    const int ib = i - (rank - b.rank());
    if (ia < 0 || (ib >= 0 && a[ia].Is(1))) {
      result[i] = b[ib];
    } else if (ib < 0 || b[ib].Is(1) || a[ia].SameAs(b[ib])) {
      result[i] = a[ia];
    } else if (a[ia].known() && b[ib].known()) {
      return Incompatible(a.ToString(), b.ToString());
    } else if (a[ia].known() || b[ib].known()) {
      // The unknown side is 1 or the known size; a known size above 1 decides.
      result[i] = a[ia].known() ? a[ia] : b[ib];
    }
  }
  return result;
}

absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape result;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank());
    const int ib = i - (rank - b.rank());
    const int64_t da = ia < 0 ? 1 : a[ia];
    const int64_t db = ib < 0 ? 1 : b[ib];
    if (da != db && da != 1 && db != 1) return Incompatible(a.ToString(), b.ToString());
    result.push_back(da == 1 ? db : da);
  }
  return result;
}

absl::Status InferSameAsFirst(InferContext& context) {
  for (int i = 0; i < context.num_outputs(); ++i) context.SetOutput(i, context.input_type(0));
  return absl::OkStatus();
}

absl::Status InferBroadcast(InferContext& context) {
  RETURN_IF_ERROR(CheckSameDTypes(context));
  return BroadcastAs(context, context.dtype(0));
}

absl::Status InferBroadcastBool(InferContext& context) {
  RETURN_IF_ERROR(CheckSameDTypes(context));
  return BroadcastAs(context, DType::kBool);
}

}  // namespace inferd
