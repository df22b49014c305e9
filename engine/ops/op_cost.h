#pragma once

#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"
#include "engine/graph/op_def.h"

namespace inferd {

// An operator over tensors whose data is not read. Absent ones are null. A view.
struct OpUse {
  const OpDef& op;
  const Attributes& attributes;
  int num_op_inputs = 0;  // of `inputs`: the rest belong to the epilogue
  absl::Span<const Tensor* const> inputs;
  absl::Span<Tensor* const> outputs;
};

// Multiplications and additions by the direct algorithm: matrix products, convolutions, attention
// and recurrent layers; 0 for other operators.
double OpFlops(const OpUse& use);

// Bytes of the tensors that it reads and writes, each once; of a tensor that rows are picked from,
// those rows.
int64_t OpBytes(const OpUse& use);

}  // namespace inferd
