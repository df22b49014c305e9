#include <algorithm>
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"
#include "engine/ops/utf8_text.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kString}));
  SymbolicShape pieces = context.shape(0);
  if (pieces.has_rank()) pieces.mutable_dims().push_back(Dim());
  context.SetOutput(0, DType::kString, std::move(pieces));
  context.SetOutput(1, DType::kInt64, context.shape(0));
  return absl::OkStatus();
}

// Pieces between occurrences of `delimiter`, which may be empty.
std::vector<absl::string_view> SplitAt(absl::string_view text, absl::string_view delimiter,
                                       int64_t most_splits) {
  std::vector<absl::string_view> pieces;
  while (static_cast<int64_t>(pieces.size()) < most_splits) {
    const size_t at = text.find(delimiter);
    if (at == absl::string_view::npos) break;
    pieces.push_back(text.substr(0, at));
    text.remove_prefix(at + delimiter.size());
  }
  pieces.push_back(text);
  return pieces;
}

// Pieces between runs of white space, none of them empty. What remains after the last allowed
// split keeps its white space at the end.
std::vector<absl::string_view> SplitAtSpace(absl::string_view text, int64_t most_splits) {
  std::vector<absl::string_view> pieces;
  text.remove_prefix(LeadingSpaceBytes(text));
  while (!text.empty()) {
    if (static_cast<int64_t>(pieces.size()) == most_splits) {
      pieces.push_back(text);
      break;
    }
    int64_t end = 0;
    while (end < static_cast<int64_t>(text.size()) && LeadingSpaceBytes(text.substr(end)) == 0) {
      end += std::max<int64_t>(1, FirstCharacterBytes(text.substr(end)));
    }
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(LeadingSpaceBytes(text));
  }
  return pieces;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const std::string delimiter = context.attributes().String("delimiter", "");
  int64_t most_splits = context.attributes().Int("maxsplit", -1);
  if (most_splits < 0) most_splits = INT64_MAX;
  std::vector<std::vector<absl::string_view>> rows;
  rows.reserve(x.num_elements());
  size_t longest = 0;
  for (const std::string& text : x.values<std::string>()) {
    rows.push_back(delimiter.empty() ? SplitAtSpace(text, most_splits)
                                     : SplitAt(text, delimiter, most_splits));
    longest = std::max(longest, rows.back().size());
  }
  if (context.wants_output(0)) {
    Shape shape = x.shape();
    shape.push_back(static_cast<int64_t>(longest));
    ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kString, shape));
    std::string* out = y->mutable_data<std::string>();
    for (const auto& row : rows) {
      for (size_t i = 0; i < longest; ++i) *out++ = i < row.size() ? std::string(row[i]) : "";
    }
  }
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * counts, context.Output(1, DType::kInt64, x.shape()));
    for (size_t i = 0; i < rows.size(); ++i) {
      counts->mutable_data<int64_t>()[i] = static_cast<int64_t>(rows[i].size());
    }
  }
  return absl::OkStatus();
}

}  // namespace

OpDef StringSplit() {
  return {.name = "StringSplit",
          .since = 20,
          .max_outputs = 2,
          .attributes = {{"delimiter", AttributeKind::kString}, {"maxsplit", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
