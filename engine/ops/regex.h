#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "re2/re2.h"

namespace inferd {

// The pattern compiled, in RE2's syntax: it matches in time linear in the text, whatever the
// pattern. INVALID_ARGUMENT naming `what` and RE2's reason.
absl::StatusOr<std::unique_ptr<const RE2>> CompileRegex(absl::string_view pattern,
                                                        absl::string_view what);

}  // namespace inferd
