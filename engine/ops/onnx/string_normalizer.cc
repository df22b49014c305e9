#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"
#include "engine/ops/utf8_text.h"

namespace inferd::ops::onnx {
namespace {

enum class CaseChange : uint8_t { kNone, kLower, kUpper };

absl::StatusOr<CaseChange> ReadCaseChange(const Attributes& attributes) {
  const std::string action = attributes.String("case_change_action", "NONE");
  if (action == "NONE") return CaseChange::kNone;
  if (action == "LOWER") return CaseChange::kLower;
  if (action == "UPPER") return CaseChange::kUpper;
  return absl::InvalidArgumentError(
      absl::StrCat("case_change_action is \"", action, "\", expected LOWER, UPPER or NONE"));
}

absl::StatusOr<std::string> ChangeCase(const std::string& text, CaseChange change) {
  switch (change) {
    case CaseChange::kNone:
      return text;
    case CaseChange::kLower:
      return LowerText(text);
    case CaseChange::kUpper:
      return UpperText(text);
  }
  return text;
}

absl::Status CheckShape(const SymbolicShape& shape) {
  if (!shape.has_rank() || shape.rank() == 1) return absl::OkStatus();
  if (shape.rank() == 2 && (!shape[0].known() || shape[0].Is(1))) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("X has shape ", shape.ToString(), ", expected [C] or [1,C]"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kString}));
  RETURN_IF_ERROR(ReadCaseChange(context.attributes()).status());
  SymbolicShape shape = context.shape(0);
  RETURN_IF_ERROR(CheckShape(shape));
  if (shape.rank() == 2) shape[0] = 1;
  // Stop words go, and where nothing is left one empty text stays.
  const bool same = context.attributes().Strings("stopwords").empty() &&
                    (shape.has_rank() && shape.dims().back().known() && !shape.dims().back().Is(0));
  if (shape.has_rank() && !same) shape.mutable_dims().back() = Dim();
  context.SetOutput(0, DType::kString, std::move(shape));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Normalize(const KernelContext& context,
                                                   CaseChange change) {
  const bool case_sensitive = context.attributes().Int("is_case_sensitive", 0) != 0;
  const CaseChange compared = case_sensitive ? CaseChange::kNone : CaseChange::kLower;
  absl::flat_hash_set<std::string> stop_words;
  for (const std::string& word : context.attributes().Strings("stopwords")) {
    ASSIGN_OR_RETURN(std::string key, ChangeCase(word, compared));
    stop_words.insert(std::move(key));
  }
  std::vector<std::string> kept;
  for (const std::string& text : context.input(0).values<std::string>()) {
    if (!stop_words.empty()) {
      ASSIGN_OR_RETURN(const std::string key, ChangeCase(text, compared));
      if (stop_words.contains(key)) continue;
    }
    ASSIGN_OR_RETURN(std::string changed, ChangeCase(text, change));
    kept.push_back(std::move(changed));
  }
  if (kept.empty()) kept.emplace_back();
  return kept;
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const CaseChange change, ReadCaseChange(context.attributes()));
  RETURN_IF_ERROR(CheckShape(context.input(0).shape()));
  ASSIGN_OR_RETURN(std::vector<std::string> kept, Normalize(context, change));
  Shape shape = context.input(0).shape();
  shape[shape.rank() - 1] = static_cast<int64_t>(kept.size());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kString, shape));
  std::move(kept.begin(), kept.end(), y->mutable_data<std::string>());
  return absl::OkStatus();
}

}  // namespace

OpDef StringNormalizer() {
  return {.name = "StringNormalizer",
          .since = 10,
          .attributes = {{"case_change_action", AttributeKind::kString},
                         {"is_case_sensitive", AttributeKind::kInt},
                         // Letters change case alike everywhere, so that a model gives the same
                         // answer on every machine.
                         {"locale", AttributeKind::kString},
                         {"stopwords", AttributeKind::kStrings}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
