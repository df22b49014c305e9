#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

// Early return for fallible calls. Both evaluate their expression once.
#define RETURN_IF_ERROR(expr)                                                   \
  do {                                                                          \
    if (absl::Status status_macro_result = (expr); !status_macro_result.ok()) { \
      return status_macro_result;                                               \
    }                                                                           \
  } while (false)

#define INFERD_STATUS_CONCAT_INNER(a, b) a##b
#define INFERD_STATUS_CONCAT(a, b) INFERD_STATUS_CONCAT_INNER(a, b)
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_INNER(INFERD_STATUS_CONCAT(statusor_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_INNER(var, lhs, expr)   \
  auto var = (expr);                             \
  if (!var.ok()) return std::move(var).status(); \
  lhs = std::move(var).value()

namespace inferd {

// Returns `status` with "prefix: " put before its message; OK stays OK.
inline absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(prefix, ": ", status.message()));
}

}  // namespace inferd
