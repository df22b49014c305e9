#pragma once

#include "engine/ops/op_def.h"

namespace inferd {

// Windows that are sums of cosines: w[n] = a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N) for n below
// input 0, `size`; N is the size or, unless attribute `periodic`, one less.
struct CosineWindow {
  double a0, a1, a2;
};

absl::Status InferCosineWindow(InferContext& context);
absl::Status ComputeCosineWindow(KernelContext& context, const CosineWindow& window);

// The definition of the window operator `name`.
OpDef CosineWindowOp(absl::string_view name, absl::Status (*compute)(KernelContext& context));

}  // namespace inferd
