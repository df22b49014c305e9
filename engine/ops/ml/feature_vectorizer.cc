#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

// Columns each input contributes: attribute inputdimensions, or all of them.
absl::StatusOr<std::vector<Dim>> Widths(const Attributes& attributes, int inputs,
                                        const std::vector<Dim>& columns) {
  const std::vector<int64_t>& given = attributes.Ints("inputdimensions");
  if (given.empty()) return columns;
  if (static_cast<int>(given.size()) != inputs) {
    return absl::InvalidArgumentError(absl::StrCat("attribute inputdimensions has ", given.size(),
                                                   " values for ", inputs, " inputs"));
  }
  for (int64_t width : given) {
    if (width < 0 || width > (int64_t{1} << 31)) {
      return absl::InvalidArgumentError(absl::StrCat("attribute inputdimensions has ", width));
    }
  }
  return std::vector<Dim>(given.begin(), given.end());
}

absl::Status Infer(InferContext& context) {
  std::vector<Dim> columns;
  Dim rows = Dim::Unknown();
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is missing"));
    }
    const SymbolicShape& shape = context.shape(i);
    ASSIGN_OR_RETURN(const Dim own_rows, RowsOf(shape));
    if (!rows.known()) rows = own_rows;
    columns.push_back(shape.has_rank() ? shape[shape.rank() - 1] : Dim::Unknown());
  }
  ASSIGN_OR_RETURN(const std::vector<Dim> widths,
                   Widths(context.attributes(), context.num_inputs(), columns));
  Dim total = 0;
  for (const Dim& width : widths) total = total + width;
  context.SetOutput(0, DType::kFloat32, SymbolicShape({rows, total}));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  std::vector<FeatureMatrix<float>> inputs;
  std::vector<Dim> columns;
  for (int i = 0; i < context.num_inputs(); ++i) {
    ASSIGN_OR_RETURN(FeatureMatrix<float> input, ReadFeatures<float>(context.input(i), 0));
    columns.push_back(input.columns);
    inputs.push_back(std::move(input));
    if (inputs.back().rows != inputs.front().rows) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " has ", inputs.back().rows,
                                                     " rows, input 0 has ", inputs.front().rows));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<Dim> widths,
                   Widths(context.attributes(), context.num_inputs(), columns));
  Dim total = 0;
  for (const Dim& width : widths) total = total + width;
  const int64_t rows = inputs.front().rows;
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, Shape({rows, total.value})));
  float* to = y->mutable_data<float>();
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      // Missing columns are zero, surplus ones are left out.
      const int64_t copied = std::min(inputs[i].columns, widths[i].value);
      std::copy_n(inputs[i].data + row * inputs[i].columns, copied, to);
      std::fill(to + copied, to + widths[i].value, 0.0f);
      to += widths[i].value;
    }
  }
  return absl::OkStatus();
}

}  // namespace

OpDef FeatureVectorizer() {
  return {.domain = "ai.onnx.ml",
          .name = "FeatureVectorizer",
          .since = 1,
          .max_inputs = kVariadic,
          .attributes = {{"inputdimensions", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
