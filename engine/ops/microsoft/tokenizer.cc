#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/regex.h"
#include "engine/ops/type_check.h"
#include "engine/ops/utf8_text.h"

namespace inferd::ops::microsoft {
namespace {

using Tokens = std::vector<absl::string_view>;

// What a text is cut by: the separators between tokens, an expression for tokens, or neither, when
// each character is a token.
struct Rules {
  std::vector<Regex> separators;
  std::optional<Regex> token;
  int64_t min_characters = 1;
};

absl::StatusOr<Rules> ReadRules(const Attributes& attributes) {
  Rules rules;
  rules.min_characters = attributes.Int("mincharnum", 1);
  if (rules.min_characters < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("mincharnum is ", rules.min_characters, ", expected at least 1"));
  }
  const std::vector<std::string>& separators = attributes.Strings("separators");
  if (separators.empty()) {
    const std::string expression = attributes.String("tokenexp", "");
    if (expression.empty()) {
      return absl::InvalidArgumentError("attribute separators or tokenexp is missing");
    }
    ASSIGN_OR_RETURN(rules.token, Regex::Compile(expression, "tokenexp"));
    return rules;
  }
  if (separators.size() == 1 && separators[0].empty()) {
    if (rules.min_characters == 1) return rules;
    return absl::InvalidArgumentError(
        absl::StrCat("mincharnum is ", rules.min_characters, ", but tokens are characters"));
  }
  for (const std::string& separator : separators) {
    ASSIGN_OR_RETURN(Regex regex, Regex::Compile(separator, "separator"));
    rules.separators.push_back(std::move(regex));
  }
  return rules;
}

absl::Status CheckRank(const SymbolicShape& shape) {
  if (!shape.has_rank() || shape.rank() == 1 || shape.rank() == 2) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("X has shape ", shape.ToString(), ", expected [C] or [N,C]"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kString}));
  RETURN_IF_ERROR(ReadRules(context.attributes()).status());
  SymbolicShape shape = context.shape(0);
  RETURN_IF_ERROR(CheckRank(shape));
  if (shape.has_rank()) shape.mutable_dims().push_back(Dim());
  context.SetOutput(0, DType::kString, std::move(shape));
  return absl::OkStatus();
}

// The next match from `begin` on that is not empty; an empty view without one.
absl::string_view FindMatch(const Regex& regex, absl::string_view text, size_t begin) {
  while (begin < text.size()) {
    const absl::string_view match = regex.Find(text, begin);
    if (match.data() == nullptr || !match.empty()) return match;
    begin = match.data() - text.data();
    begin += std::max<int64_t>(1, FirstCharacterBytes(text.substr(begin)));
  }
  return {};
}

Tokens SplitBySeparator(const Regex& separator, const Tokens& texts) {
  Tokens tokens;
  for (absl::string_view text : texts) {
    size_t begin = 0;
    for (absl::string_view match = FindMatch(separator, text, 0); !match.empty();
         match = FindMatch(separator, text, begin)) {
      const size_t at = match.data() - text.data();
      tokens.push_back(text.substr(begin, at - begin));
      begin = at + match.size();
    }
    tokens.push_back(text.substr(begin));
  }
  return tokens;
}

Tokens FindTokens(const Regex& token, absl::string_view text) {
  Tokens tokens;
  size_t begin = 0;
  for (absl::string_view match = FindMatch(token, text, 0); !match.empty();
       match = FindMatch(token, text, begin)) {
    tokens.push_back(match);
    begin = match.data() - text.data() + match.size();
  }
  return tokens;
}

// Requires UTF-8.
Tokens SplitIntoCharacters(absl::string_view text) {
  Tokens tokens;
  while (!text.empty()) {
    tokens.push_back(text.substr(0, FirstCharacterBytes(text)));
    text.remove_prefix(tokens.back().size());
  }
  return tokens;
}

absl::StatusOr<Tokens> Tokenize(const Rules& rules, absl::string_view text) {
  RETURN_IF_ERROR(CountCharacters(text).status());
  Tokens tokens;
  if (rules.token.has_value()) {
    tokens = FindTokens(*rules.token, text);
  } else if (rules.separators.empty()) {
    tokens = SplitIntoCharacters(text);
  } else {
    tokens.push_back(text);
    for (const Regex& separator : rules.separators) tokens = SplitBySeparator(separator, tokens);
  }
  Tokens kept;
  for (absl::string_view token : tokens) {
    // A separator or expression may cut inside a character.
    ASSIGN_OR_RETURN(const int64_t characters, CountCharacters(token));
    if (characters >= rules.min_characters) kept.push_back(token);
  }
  return kept;
}

absl::Status Compute(KernelContext& context) {
  constexpr char kStartMark = 2;
  constexpr char kEndMark = 3;
  const Tensor& x = context.input(0);
  RETURN_IF_ERROR(CheckRank(x.shape()));
  ASSIGN_OR_RETURN(const Rules rules, ReadRules(context.attributes()));
  const bool marked = context.attributes().Int("mark", 0) != 0;
  const std::string padding = context.attributes().String("pad_value", "");
  std::vector<Tokens> rows;
  size_t longest = 0;
  for (const std::string& text : x.values<std::string>()) {
    ASSIGN_OR_RETURN(Tokens tokens, Tokenize(rules, text));
    longest = std::max(longest, tokens.size());
    rows.push_back(std::move(tokens));
  }
  // Without any token there are no marks either.
  if (marked && longest > 0) longest += 2;
  Shape shape = x.shape();
  shape.push_back(static_cast<int64_t>(longest));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kString, shape));
  std::string* out = y->mutable_data<std::string>();
  for (const Tokens& tokens : rows) {
    std::string* const end = out + longest;
    if (marked && longest > 0) *out++ = std::string(1, kStartMark);
    for (absl::string_view token : tokens) *out++ = std::string(token);
    if (marked && longest > 0) *out++ = std::string(1, kEndMark);
    while (out < end) *out++ = padding;
  }
  return absl::OkStatus();
}

}  // namespace

OpDef Tokenizer() {
  return {.domain = "com.microsoft",
          .name = "Tokenizer",
          .since = 1,
          .attributes = {{"mark", AttributeKind::kInt, true},
                         {"mincharnum", AttributeKind::kInt, true},
                         {"pad_value", AttributeKind::kString, true},
                         {"separators", AttributeKind::kStrings},
                         {"tokenexp", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
