#include "engine/ops/utf8_text.h"

#include <utf8proc.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int32_t kCapitalSigma = 0x3A3;
constexpr int32_t kFinalSigma = 0x3C2;
constexpr int32_t kSharpS = 0xDF;
constexpr int32_t kCapitalDottedI = 0x130;
constexpr int32_t kDotAbove = 0x307;

// The first character and how many bytes it takes; 0 when there is none.
int64_t ReadCharacter(absl::string_view text, int32_t* character) {
  if (text.empty()) return 0;
  utf8proc_int32_t code = -1;
  const utf8proc_ssize_t bytes =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &code);
  *character = code;
  return bytes > 0 ? bytes : 0;
}

absl::StatusOr<std::vector<int32_t>> Characters(absl::string_view text) {
  std::vector<int32_t> characters;
  for (size_t at = 0; at < text.size();) {
    int32_t character = 0;
    const int64_t bytes = ReadCharacter(text.substr(at), &character);
    if (bytes == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("text of ", text.size(), " bytes is not UTF-8 at byte ", at));
    }
    characters.push_back(character);
    at += bytes;
  }
  return characters;
}

void Append(int32_t character, std::string* text) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t count = utf8proc_encode_char(character, bytes);
  text->append(reinterpret_cast<const char*>(bytes), count);
}

bool IsCased(int32_t character) {
  const utf8proc_category_t category = utf8proc_category(character);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

// Marks and punctuation inside words, which do not end one.
bool IsCaseIgnorable(int32_t character) {
  const utf8proc_category_t category = utf8proc_category(character);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
         category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_LM ||
         category == UTF8PROC_CATEGORY_SK || character == '\'' || character == '.' ||
         character == ':' || character == 0xB7 || character == 0x2019;
}

// Unicode's Final_Sigma: a letter before it, none after it.
bool EndsWord(const std::vector<int32_t>& characters, size_t at) {
  size_t before = at;
  while (before > 0 && IsCaseIgnorable(characters[before - 1])) --before;
  if (before == 0 || !IsCased(characters[before - 1])) return false;
  size_t after = at + 1;
  while (after < characters.size() && IsCaseIgnorable(characters[after])) ++after;
  return after == characters.size() || !IsCased(characters[after]);
}

bool IsSpace(int32_t character) {
  if (character <= 0x20) {
    return character == 0x20 || (character >= 0x09 && character <= 0x0D) ||
           (character >= 0x1C && character <= 0x1F);
  }
  const utf8proc_category_t category = utf8proc_category(character);
  return character == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
         category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

}  // namespace

int64_t FirstCharacterBytes(absl::string_view text) {
  int32_t character = 0;
  return ReadCharacter(text, &character);
}

absl::StatusOr<int64_t> CountCharacters(absl::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<int32_t> characters, Characters(text));
  return static_cast<int64_t>(characters.size());
}

absl::StatusOr<std::string> LowerText(absl::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<int32_t> characters, Characters(text));
  std::string lowered;
  lowered.reserve(text.size());
  for (size_t i = 0; i < characters.size(); ++i) {
    if (characters[i] == kCapitalSigma && EndsWord(characters, i)) {
      Append(kFinalSigma, &lowered);
    } else if (characters[i] == kCapitalDottedI) {
      Append('i', &lowered);
      Append(kDotAbove, &lowered);
    } else {
      Append(utf8proc_tolower(characters[i]), &lowered);
    }
  }
  return lowered;
}

absl::StatusOr<std::string> UpperText(absl::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<int32_t> characters, Characters(text));
  std::string raised;
  raised.reserve(text.size());
  for (int32_t character : characters) {
    if (character == kSharpS) {
      raised += "SS";
    } else {
      Append(utf8proc_toupper(character), &raised);
    }
  }
  return raised;
}

int64_t LeadingSpaceBytes(absl::string_view text) {
  int64_t at = 0;
  while (true) {
    int32_t character = 0;
    const int64_t bytes = ReadCharacter(text.substr(at), &character);
    if (bytes == 0 || !IsSpace(character)) return at;
    at += bytes;
  }
}

}  // namespace inferd
