#include "engine/ops/einsum_equation.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr char kEllipsis = '.';

// "ij..." -> {'i','j','.'}.
absl::StatusOr<std::string> Terms(absl::string_view text) {
  std::string terms;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (absl::ascii_isalpha(c)) {
      terms.push_back(c);
    } else if (text.substr(i, 3) == "..." && terms.find(kEllipsis) == std::string::npos) {
      terms.push_back(kEllipsis);
      i += 2;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("equation term \"", text, "\" has an unexpected '", std::string(1, c), "'"));
    }
  }
  return terms;
}

// Without "->": the dimensions of "...", then the letters that occur once, in order.
std::string ImplicitOutput(const std::vector<std::string>& operands) {
  std::map<char, int> uses;
  for (const std::string& terms : operands) {
    for (char c : terms) ++uses[c];
  }
  std::string output;
  if (uses.count(kEllipsis) > 0) output.push_back(kEllipsis);
  for (const auto& [c, count] : uses) {
    if (c != kEllipsis && count == 1) output.push_back(c);
  }
  return output;
}

// Label names: a letter, or place `-1 - k` counted from the back of "...".
using LabelIds = std::map<int, int>;

// The labels of one side; `ellipsis_rank` dimensions stand under its "...".
std::vector<int> LabelNames(const std::string& terms, int ellipsis_rank) {
  std::vector<int> names;
  for (char c : terms) {
    if (c != kEllipsis) names.push_back(c);
    for (int k = ellipsis_rank; c == kEllipsis && k > 0; --k) names.push_back(-k);
  }
  return names;
}

struct Sides {
  std::vector<std::string> operands;
  std::string output;
};

absl::StatusOr<Sides> SplitSides(absl::string_view text) {
  const std::vector<std::string> sides = absl::StrSplit(text, "->");
  if (sides.size() > 2) {
    return absl::InvalidArgumentError(absl::StrCat("equation \"", text, "\" has two arrows"));
  }
  Sides result;
  for (absl::string_view operand : absl::StrSplit(sides[0], ',')) {
    ASSIGN_OR_RETURN(std::string terms, Terms(operand));
    result.operands.push_back(std::move(terms));
  }
  if (sides.size() == 1) {
    result.output = ImplicitOutput(result.operands);
  } else {
    ASSIGN_OR_RETURN(result.output, Terms(sides[1]));
  }
  return result;
}

}  // namespace

absl::StatusOr<EinsumEquation> EinsumEquation::Parse(absl::string_view text,
                                                     const std::vector<int>& ranks) {
  ASSIGN_OR_RETURN(const Sides sides, SplitSides(text));
  if (sides.operands.size() != ranks.size()) {
    return absl::InvalidArgumentError(absl::StrCat("equation \"", text, "\" has ",
                                                   sides.operands.size(), " operands, the node ",
                                                   ranks.size()));
  }
  int widest = 0;
  std::vector<std::vector<int>> names;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const std::string& terms = sides.operands[i];
    const bool has_ellipsis = terms.find(kEllipsis) != std::string::npos;
    const int letters = static_cast<int>(terms.size()) - (has_ellipsis ? 1 : 0);
    if (has_ellipsis ? ranks[i] < letters : ranks[i] != letters) {
      return absl::InvalidArgumentError(
          absl::StrCat("equation \"", text, "\": operand ", i, " has rank ", ranks[i]));
    }
    names.push_back(LabelNames(terms, ranks[i] - letters));
    if (has_ellipsis) widest = std::max(widest, ranks[i] - letters);
  }
  EinsumEquation equation;
  LabelIds ids;
  for (int name : LabelNames(sides.output, widest)) {
    const bool used = std::any_of(names.begin(), names.end(), [&](const std::vector<int>& list) {
      return std::find(list.begin(), list.end(), name) != list.end();
    });
    if (!used || !ids.emplace(name, equation.num_labels).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "equation \"", text, "\": an output label is repeated or occurs in no operand"));
    }
    equation.output.push_back(equation.num_labels++);
  }
  for (const std::vector<int>& list : names) {
    std::vector<int>& labels = equation.operands.emplace_back();
    for (int name : list) {
      const auto [it, added] = ids.emplace(name, equation.num_labels);
      if (added) ++equation.num_labels;
      labels.push_back(it->second);
    }
  }
  return equation;
}

absl::StatusOr<std::vector<Dim>> EinsumEquation::LabelSizes(
    const std::vector<SymbolicShape>& shapes) const {
  std::vector<Dim> sizes(num_labels);
  std::vector<bool> seen(num_labels, false);
  for (size_t i = 0; i < shapes.size(); ++i) {
    for (int d = 0; d < shapes[i].rank(); ++d) {
      const Dim& dim = shapes[i][d];
      const int label = operands[i][d];
      Dim& size = sizes[label];
      if (!seen[label] || size.Is(1) || (!size.known() && dim.known() && !dim.Is(1))) {
        size = dim;
      } else if (size.known() && dim.known() && !dim.Is(1) && !size.Is(dim.value)) {
        return absl::InvalidArgumentError(absl::StrCat("dimension ", d, " of operand ", i, " is ",
                                                       dim.value, ", expected ", size.value));
      }
      seen[label] = true;
    }
  }
  return sizes;
}

}  // namespace inferd
