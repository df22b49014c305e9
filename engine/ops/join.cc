#include "engine/ops/join.h"

#include "engine/core/status_macros.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/strided_copy.h"

namespace inferd {

absl::StatusOr<SymbolicShape> JoinedShape(absl::Span<const SymbolicShape> parts, int64_t axis) {
  for (const SymbolicShape& part : parts) {
    if (!part.has_rank()) return SymbolicShape::UnknownRank();
  }
  SymbolicShape joined = parts[0];
  ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, joined.rank()));
  for (const SymbolicShape& part : parts.subspan(1)) {
    bool fits = part.rank() == joined.rank();
    for (int i = 0; fits && i < part.rank(); ++i) {
      if (i == at) {
        joined[i] = joined[i] + part[i];
      } else if (!joined[i].known()) {
        joined[i] = part[i].known() ? part[i] : joined[i];
      } else {
        fits = !part[i].known() || part[i].Is(joined[i].value);
      }
    }
    if (!fits) {
      return absl::InvalidArgumentError(absl::StrCat("shapes ", parts[0].ToString(), " and ",
                                                     part.ToString(),
                                                     " cannot be joined along axis ", at));
    }
  }
  return joined;
}

absl::Status JoinTensors(KernelContext& context, absl::Span<const Tensor* const> parts,
                         int64_t axis) {
  std::vector<SymbolicShape> shapes;
  for (const Tensor* part : parts) {
    if (part->dtype() != parts[0]->dtype()) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot join ", parts[0]->TypeString(), " and ", part->TypeString()));
    }
    shapes.push_back(part->shape());
  }
  ASSIGN_OR_RETURN(const SymbolicShape joined, JoinedShape(shapes, axis));
  if (!joined.IsConcrete()) return absl::InvalidArgumentError("the joined shape overflows");
  ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, joined.rank()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, parts[0]->dtype(), joined.ToShape()));
  StridedBlock target = WholeBlock(y->shape());
  for (const Tensor* part : parts) {
    CopyStrided(part->shape(), *part, WholeBlock(part->shape()), y, target);
    target.offset += part->dim(at) * target.strides[at];
  }
  return absl::OkStatus();
}

}  // namespace inferd
