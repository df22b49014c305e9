#include "engine/ops/dtype_attribute.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"

namespace inferd {

absl::StatusOr<DType> ReadDType(const Attributes& attributes, absl::string_view name,
                                DType missing) {
  if (!attributes.Has(name)) return missing;
  const int64_t code = attributes.Int(name, 0);
  if (code <= 0 || code > INT8_MAX || !IsKnownDType(static_cast<int>(code))) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is ", code, ", which is no element type"));
  }
  return static_cast<DType>(code);
}

absl::StatusOr<DType> ReadDType(const Attributes& attributes, absl::string_view name, DType missing,
                                std::initializer_list<DType> allowed) {
  ASSIGN_OR_RETURN(const DType dtype, ReadDType(attributes, name, missing));
  if (dtype == DType::kInvalid ||
      std::find(allowed.begin(), allowed.end(), dtype) != allowed.end()) {
    return dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      name, " is ", DTypeName(dtype), ", expected ",
      absl::StrJoin(allowed, " or ",
                    [](std::string* out, DType type) { absl::StrAppend(out, DTypeName(type)); })));
}

}  // namespace inferd
