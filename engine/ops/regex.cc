#include "engine/ops/regex.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace inferd {

absl::StatusOr<std::unique_ptr<const RE2>> CompileRegex(absl::string_view pattern,
                                                        absl::string_view what) {
  RE2::Options options;
  options.set_log_errors(false);
  auto regex =
      std::make_unique<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (regex->ok()) return regex;
  return absl::InvalidArgumentError(
      absl::StrCat(what, " \"", absl::Utf8SafeCEscape(pattern.substr(0, 200)),
                   "\" is no regular expression of RE2: ", absl::Utf8SafeCEscape(regex->error())));
}

}  // namespace inferd
