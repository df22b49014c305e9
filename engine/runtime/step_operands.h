#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/core/tensor.h"
#include "engine/graph/graph.h"
#include "engine/providers/execution_provider.h"

namespace inferd {

// The inputs and outputs of one bound node, to measure its kernels with: its constants, and buffers
// for the rest, inputs with numbers of both signs around 1. In host memory or on a device, where a
// queue of their own runs the kernels. Used by one thread at a time.
class StepOperands {
 public:
  // `device` is null for host memory. Constants must be readable until it returns.
  static absl::StatusOr<std::unique_ptr<StepOperands>> Make(const Graph& graph, const Node& node,
                                                            Device* device);
  ~StepOperands();

  bool on_device() const { return device_ != nullptr; }

  // For a run in host memory.
  StepContext HostContext(void* scratch, int threads);
  // Reads a byte of every cache line of the inputs that are no constants.
  unsigned TouchActivations() const;

  // How long a run of `kernel` on the device takes, one of a few in a row.
  absl::StatusOr<absl::Duration> TimeOnDevice(const BoundKernel& kernel);

  // What the last run wrote, in host memory; without elements for outputs that are absent.
  absl::StatusOr<std::vector<Tensor>> CopyOutputs();

 private:
  StepOperands() = default;
  absl::Status MoveTo(Device& device);
  absl::StatusOr<Tensor> OnDevice(const Tensor& tensor);

  Device* device_ = nullptr;
  std::vector<Tensor> inputs_;
  std::vector<bool> is_activation_;
  std::vector<Tensor> outputs_;
  std::vector<const Tensor*> input_pointers_;
  std::vector<Tensor*> output_pointers_;
  std::shared_ptr<void> scratch_;  // on the device
  int64_t scratch_bytes_ = 0;
  std::unique_ptr<DeviceContext> context_;  // goes before the memory
};

}  // namespace inferd
