#pragma once

#include "engine/core/status_macros.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/random_generator.h"

namespace inferd {

// What RandomNormal, RandomUniform and their Like forms have in common: output 0 has the shape of
// input 0 or, without one, that of attribute `shape`; its type is attribute `dtype`, else input
// 0's, else float32.

absl::Status InferRandomFill(InferContext& context);

// The type and shape of output 0.
struct RandomTarget {
  DType dtype;
  Shape shape;
};
absl::StatusOr<RandomTarget> ResolveRandomFill(const KernelContext& context);

// Output 0 = draw(generator) -> double for each element.
template <typename Fn>
absl::Status FillRandom(KernelContext& context, Fn draw) {
  ASSIGN_OR_RETURN(const RandomTarget target, ResolveRandomFill(context));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, target.dtype, target.shape));
  RandomGenerator generator(context.attributes());
  return DispatchFloat(target.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* values = y->mutable_data<T>();
    for (int64_t i = 0; i < y->num_elements(); ++i) values[i] = static_cast<T>(draw(generator));
    return absl::OkStatus();
  });
}

}  // namespace inferd
