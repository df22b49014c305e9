#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inferd {

// UTF-8 text for the string operators, the same under every locale. Letters change case one by one
// (Unicode's simple mapping), with the three exceptions that Python makes too, because what the
// models were trained on was lowered by it: "ß" becomes "SS", "İ" becomes "i" and a dot above, and
// a sigma that ends a word becomes "ς".

// The bytes of the first character, at least 1; 0 when the text is empty or does not start with
// valid UTF-8.
int64_t FirstCharacterBytes(absl::string_view text);

// How many characters the text has. INVALID_ARGUMENT naming the byte when it is not UTF-8.
absl::StatusOr<int64_t> CountCharacters(absl::string_view text);

// INVALID_ARGUMENT naming the byte when it is not UTF-8.
absl::StatusOr<std::string> LowerText(absl::string_view text);
absl::StatusOr<std::string> UpperText(absl::string_view text);

// The bytes of the white space at the start: what Unicode and Python count as such. Bytes that are
// not UTF-8 are no white space.
int64_t LeadingSpaceBytes(absl::string_view text);

}  // namespace inferd
