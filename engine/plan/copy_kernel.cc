#include "engine/plan/copy_kernel.h"

#include "engine/providers/device.h"

namespace inferd {

absl::Status CopyKernel::Run(const StepContext& context) const {
  const Tensor& from = *context.inputs[0];
  Tensor& to = *context.outputs[0];
  if (from.byte_size() == 0) return absl::OkStatus();
  return to_device_ ? context.device->CopyToDevice(to.mutable_raw(), from.raw(), from.byte_size())
                    : context.device->CopyToHost(to.mutable_raw(), from.raw(), from.byte_size());
}

}  // namespace inferd
