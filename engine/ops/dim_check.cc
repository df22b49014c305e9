#include "engine/ops/dim_check.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace inferd {

absl::Status UnifyDim(absl::string_view what, const Dim& dim, Dim* known) {
  if (!known->known()) {
    if (dim.known() || known->symbol < 0) *known = dim;
    return absl::OkStatus();
  }
  if (!dim.known() || dim.value == known->value) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is ", dim.value, ", expected ", known->value));
}

absl::Status MatchDims(absl::string_view name, const SymbolicShape& shape,
                       std::initializer_list<Dim*> dims) {
  if (!shape.has_rank()) return absl::OkStatus();
  bool fits = shape.rank() == static_cast<int>(dims.size());
  std::vector<Dim> expected;
  for (const Dim* dim : dims) expected.push_back(*dim);
  int i = 0;
  for (Dim* dim : dims) {
    fits = fits && UnifyDim(name, shape[i], dim).ok();
    ++i;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " has shape ", shape.ToString(),
                                                 ", expected ",
                                                 SymbolicShape(std::move(expected)).ToString()));
}

}  // namespace inferd
