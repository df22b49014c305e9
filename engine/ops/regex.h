#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace re2 {
class RE2;
}

namespace inferd {

// A regular expression in RE2's syntax, compiled: it matches in time linear in the text, whatever
// the pattern. Immutable.
class Regex {
 public:
  // INVALID_ARGUMENT naming `what` the pattern is and RE2's reason.
  static absl::StatusOr<Regex> Compile(absl::string_view pattern, absl::string_view what);

  Regex(Regex&&);
  Regex& operator=(Regex&&);
  ~Regex();

  bool MatchesAll(absl::string_view text) const;
  // The first match in `text` from `begin` on, a part of it, which may be empty; the null view
  // without one. What precedes `begin` is seen by "^" and "\b".
  absl::string_view Find(absl::string_view text, size_t begin) const;

 private:
  explicit Regex(std::unique_ptr<const re2::RE2> compiled);

  std::unique_ptr<const re2::RE2> compiled_;
};

}  // namespace inferd
