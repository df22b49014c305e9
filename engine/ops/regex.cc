#include "engine/ops/regex.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "re2/re2.h"

namespace inferd {
namespace {

re2::StringPiece Piece(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Regex::Regex(std::unique_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) = default;
Regex& Regex::operator=(Regex&&) = default;
Regex::~Regex() = default;

absl::StatusOr<Regex> Regex::Compile(absl::string_view pattern, absl::string_view what) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_unique<const RE2>(Piece(pattern), options);
  if (compiled->ok()) return Regex(std::move(compiled));
  return absl::InvalidArgumentError(
      absl::StrCat(what, " \"", absl::Utf8SafeCEscape(pattern.substr(0, 200)),
                   "\" is no regular expression of RE2: ",
                   absl::Utf8SafeCEscape(compiled->error().substr(0, 200))));
}

bool Regex::MatchesAll(absl::string_view text) const {
  return RE2::FullMatch(Piece(text), *compiled_);
}

absl::string_view Regex::Find(absl::string_view text, size_t begin) const {
  re2::StringPiece match;
  if (!compiled_->Match(Piece(text), begin, text.size(), RE2::UNANCHORED, &match, 1)) return {};
  return {match.data(), match.size()};
}

}  // namespace inferd
