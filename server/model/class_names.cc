#include "server/model/class_names.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inferd {
namespace {

void AppendQuoted(std::string* out, const std::string& name) {
  out->push_back('"');
  for (const char c : name) {
    if (c == '"' || c == '\\') {
      out->append({'\\', c});
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppend(out, "\\u", absl::Hex(static_cast<int>(c), absl::kZeroPad4));
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

}  // namespace

std::string ClassNamesKey(absl::string_view output) { return absl::StrCat("class_names.", output); }

std::string ClassNamesText(const std::vector<std::string>& names) {
  return absl::StrCat("[", absl::StrJoin(names, ", ", AppendQuoted), "]");
}

}  // namespace inferd
