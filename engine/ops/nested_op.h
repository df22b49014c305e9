#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"
#include "engine/graph/value_type.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// For operators whose meaning is that of a standard one, between changes of type or layout. The
// standard operator is named as in ai.onnx; it sees the given attributes, of which it reads its
// own.

// What the operator's shape rule says of its first output. A type is null where the input is
// absent; `constants` holds the values that are known, null or missing at the end where they are
// not.
absl::StatusOr<ValueType> InferNested(absl::string_view op, const Attributes& attributes,
                                      std::vector<const ValueType*> types,
                                      std::vector<const Tensor*> constants = {});

// The operator's first output by its portable kernel, in storage of its own. Requires inputs that
// the shape rule accepted; null where absent.
absl::StatusOr<Tensor> ComputeNested(absl::string_view op, const Attributes& attributes,
                                     const std::vector<const Tensor*>& inputs, int64_t limit_bytes);

// Output i = `values`, of the same type and shape.
absl::Status StoreOutput(KernelContext& context, int i, const Tensor& values);

}  // namespace inferd
