#include <algorithm>
#include <vector>

#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"

namespace inferd::ops::onnx {
namespace {

// The sizes of the parts of a dimension: as given, or equal but for a smaller last one.
absl::StatusOr<std::vector<int64_t>> PartSizes(int64_t dim, int parts,
                                               const std::vector<int64_t>* given) {
  if (given == nullptr) {
    std::vector<int64_t> sizes;
    const int64_t size = (dim + parts - 1) / parts;
    for (int64_t rest = dim; static_cast<int>(sizes.size()) < parts; rest -= sizes.back()) {
      sizes.push_back(std::min(size, rest));
    }
    return sizes;
  }
  int64_t total = 0;
  for (int64_t size : *given) {
    if (size < 0 || size > dim - total) {
      total = -1;
      break;
    }
    total += size;
  }
  if (static_cast<int>(given->size()) != parts || total != dim) {
    return absl::InvalidArgumentError(absl::StrCat("split sizes [", absl::StrJoin(*given, ","),
                                                   "] do not divide a dimension of ", dim, " into ",
                                                   parts, " outputs"));
  }
  return *given;
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  const int parts = context.num_outputs();
  if (!input.has_rank()) {
    for (int i = 0; i < parts; ++i) context.SetOutput(i, context.dtype(0), SymbolicShape());
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const int axis,
                   NormalizeAxis(context.attributes().Int("axis", 0), input.rank()));
  ASSIGN_OR_RETURN(const auto given, context.Int64s(1));
  const bool sizes_known = given || !context.has_input(1);
  std::vector<int64_t> sizes;
  if (sizes_known && input[axis].known()) {
    ASSIGN_OR_RETURN(sizes, PartSizes(input[axis].value, parts, given ? &*given : nullptr));
  } else if (given && static_cast<int>(given->size()) == parts) {
    sizes = *given;
  }
  for (int i = 0; i < parts; ++i) {
    SymbolicShape shape = input;
    shape[axis] = sizes.empty() || sizes[i] < 0 ? Dim() : Dim(sizes[i]);
    context.SetOutput(i, context.dtype(0), std::move(shape));
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", 0), x.rank()));
  std::vector<int64_t> given;
  if (context.has_input(1)) {
    ASSIGN_OR_RETURN(given, context.input(1).ToInt64s());
  }
  ASSIGN_OR_RETURN(
      const std::vector<int64_t> sizes,
      PartSizes(x.dim(axis), context.num_outputs(), context.has_input(1) ? &given : nullptr));
  StridedBlock source = WholeBlock(x.shape());
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (context.wants_output(static_cast<int>(i))) {
      Shape shape = x.shape();
      shape[axis] = sizes[i];
      ASSIGN_OR_RETURN(Tensor * y, context.Output(static_cast<int>(i), x.dtype(), shape));
      CopyStrided(shape, x, source, y, WholeBlock(shape));
    }
    source.offset += sizes[i] * source.strides[axis];
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Split() {
  return {.name = "Split",
          .since = 18,
          .min_inputs = 1,
          .max_inputs = 2,
          .max_outputs = kVariadic,
          .attributes = {{"axis", AttributeKind::kInt}, {"num_outputs", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
