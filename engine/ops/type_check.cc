#include "engine/ops/type_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

absl::Status CheckTensor(const InferContext& context, int i) {
  if (context.input_type(i).is_tensor()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("input ", i, " is a ", context.input_type(i).ToString(), ", expected a tensor"));
}

}  // namespace

absl::Status CheckSameTypes(const InferContext& context, std::initializer_list<int> inputs) {
  int first = -1;
  for (int i : inputs) {
    if (!context.has_input(i)) continue;
    RETURN_IF_ERROR(CheckTensor(context, i));
    if (context.dtype(i) == DType::kInvalid) continue;  // not known yet
    if (first < 0) first = i;
    if (context.dtype(i) != context.dtype(first)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " has element type ",
                                                     DTypeName(context.dtype(i)), ", input ", first,
                                                     " has ", DTypeName(context.dtype(first))));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckInputType(const InferContext& context, int i,
                            std::initializer_list<DType> allowed) {
  if (!context.has_input(i)) return absl::OkStatus();
  RETURN_IF_ERROR(CheckTensor(context, i));
  const DType dtype = context.dtype(i);
  if (dtype == DType::kInvalid ||
      std::find(allowed.begin(), allowed.end(), dtype) != allowed.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "input ", i, " has element type ", DTypeName(dtype), ", expected ",
      absl::StrJoin(allowed, " or ",
                    [](std::string* out, DType type) { absl::StrAppend(out, DTypeName(type)); })));
}

absl::Status CheckInputsGiven(const InferContext& context, std::initializer_list<int> inputs) {
  for (int i : inputs) {
    if (context.has_input(i)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("input ", i, " is absent, but the operator requires it"));
  }
  return absl::OkStatus();
}

}  // namespace inferd
