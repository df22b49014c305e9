#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::ml {
namespace {

absl::StatusOr<ClassLabels> Labels(const Attributes& attributes) {
  return ReadClassLabels(attributes, "classlabels_int64s", "classlabels_strings");
}

absl::Status CheckColumns(const Dim& columns, const ClassLabels& labels) {
  if (!columns.known() || columns.value == labels.count()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("X has ", columns.value, " columns for ", labels.count(), " class labels"));
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(context.attributes()));
  RETURN_IF_ERROR(RowsOf(context.shape(0)).status());
  const SymbolicShape& x = context.shape(0);
  if (x.has_rank()) RETURN_IF_ERROR(CheckColumns(x[x.rank() - 1], labels));
  const ValueType value = ValueType::OfTensor(DType::kFloat32, SymbolicShape::Scalar());
  context.SetOutput(0, ValueType::OfSequence(ValueType::OfMap(labels.dtype(), value)));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(context.attributes()));
  ASSIGN_OR_RETURN(const FeatureMatrix<float> x, ReadFeatures<float>(context.input(0), 0));
  RETURN_IF_ERROR(CheckColumns(Dim(x.columns), labels));
  // The maps share their keys.
  const Shape shape({x.columns});
  const Tensor keys = labels.is_string() ? Tensor::FromValues<std::string>(shape, *labels.strings)
                                         : Tensor::FromValues<int64_t>(shape, *labels.ints);
  std::vector<Tensor> maps;
  for (int64_t row = 0; row < x.rows; ++row) {
    const absl::Span<const float> values(x.data + row * x.columns, x.columns);
    maps.push_back(Tensor::Map(keys, Tensor::FromValues<float>(shape, values)));
  }
  return context.SetOutput(0, Tensor::Sequence(std::move(maps)));
}

}  // namespace

OpDef ZipMap() {
  return {.domain = "ai.onnx.ml",
          .name = "ZipMap",
          .since = 1,
          .attributes = {{"classlabels_int64s", AttributeKind::kInts},
                         {"classlabels_strings", AttributeKind::kStrings}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
