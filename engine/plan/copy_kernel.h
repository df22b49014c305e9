#pragma once

#include "engine/providers/execution_provider.h"

namespace inferd {

// A step that copies a value to or from a device. Immutable; Run may be called by many threads at
// once.
class CopyKernel : public BoundKernel {
 public:
  explicit CopyKernel(bool to_device) : to_device_(to_device) {}
  absl::Status Run(const StepContext& context) const override;
  std::string description() const override { return to_device_ ? "to device" : "to host"; }
  bool to_device() const { return to_device_; }

 private:
  const bool to_device_;
};

}  // namespace inferd
