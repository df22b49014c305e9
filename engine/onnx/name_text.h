#pragma once

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace inferd {

// A name out of a model file as it may stand in a message: escaped, quoted and of bounded length.
inline std::string NameText(absl::string_view name) {
  constexpr size_t kMaxBytes = 120;
  const bool cut = name.size() > kMaxBytes;
  return absl::StrCat("'", absl::Utf8SafeCEscape(name.substr(0, kMaxBytes)), cut ? "...'" : "'");
}

}  // namespace inferd
