#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// The input of the classical models of ai.onnx.ml: rows of features [N,F], or one row [F].

// INVALID_ARGUMENT for other ranks.
absl::StatusOr<Dim> RowsOf(const SymbolicShape& x);

// X as floats, or doubles when X is float64. `columns` is F; `data` views X or `copy`. A value
// type.
template <typename T>
struct FeatureMatrix {
  int64_t rows = 0;
  int64_t columns = 0;
  const T* data = nullptr;
  std::vector<T> copy;
};
// INVALID_ARGUMENT when X is no matrix of numbers or has fewer columns than `min_columns`.
template <typename T>
absl::StatusOr<FeatureMatrix<T>> ReadFeatures(const Tensor& x, int64_t min_columns);

// The labels of a classifier: attributes `ints` or `strings`, whichever is there.
struct ClassLabels {
  const std::vector<int64_t>* ints = nullptr;
  const std::vector<std::string>* strings = nullptr;
  int64_t count() const;
  bool is_string() const { return !strings->empty(); }
  DType dtype() const { return is_string() ? DType::kString : DType::kInt64; }
};
absl::StatusOr<ClassLabels> ReadClassLabels(const Attributes& attributes, absl::string_view ints,
                                            absl::string_view strings);

// The shape rule of classifiers: labels [N] and float scores [N,scores].
absl::Status InferClassifier(InferContext& context, const ClassLabels& labels, int64_t scores);
// Output 0 of a classifier: the label of each row's class index, in [0, labels.count()).
absl::Status StoreLabels(KernelContext& context, const ClassLabels& labels,
                         absl::Span<const int64_t> classes);

}  // namespace inferd
