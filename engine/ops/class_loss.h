#pragma once

#include "absl/status/status.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// What NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss share. Inputs: scores [N,C,D1..Dk] of
// a float type, labels [N,D1..Dk] (int32 or int64), and maybe weights [C].

// Types and shapes of the inputs and of output 0: a scalar, or [N,D1..Dk] for reduction "none".
absl::Status InferClassLoss(InferContext& context);

// Output 0 from log probabilities `log_prob`, laid out as the scores and of the type that scores of
// T are computed in. Labels are checked: each is a class or `ignore_index`.
template <typename T>
absl::Status ComputeClassLoss(KernelContext& context, const AccumulatorOf<T>* log_prob);

}  // namespace inferd
