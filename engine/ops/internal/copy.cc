#include <cstring>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::internal {
namespace {

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  if (x.byte_size() > 0) std::memcpy(y->mutable_raw(), x.raw(), x.byte_size());
  return absl::OkStatus();
}

}  // namespace

// The same value in other memory. Made by the planner only, for values that cross between the host
// and a device.
OpDef Copy() {
  return {.domain = "inferd", .name = "Copy", .infer = InferSameAsFirst, .compute = Compute};
}

}  // namespace inferd::ops::internal
