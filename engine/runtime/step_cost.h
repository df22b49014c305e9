#pragma once

#include "engine/core/tensor.h"
#include "engine/plan/plan.h"

namespace inferd {

// Multiplications and additions of one step over these tensors, by the direct algorithm: matrix
// products, convolutions, attention and recurrent layers; 0 for other operators. Data is not read.
// `inputs` and `outputs` are in the step's order; absent ones are null.
double StepFlops(const Step& step, absl::Span<const Tensor* const> inputs,
                 absl::Span<Tensor* const> outputs);

// Bytes of the tensors that the step reads and writes, each once; of a tensor that rows are picked
// from, those rows.
int64_t StepBytes(const Step& step, absl::Span<const Tensor* const> inputs,
                  absl::Span<Tensor* const> outputs);

}  // namespace inferd
