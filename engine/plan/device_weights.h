#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "engine/core/tensor.h"

namespace inferd {

class Device;

// A model's constants in the memory of devices: each (device, constant, layout) is there once,
// shared by all plans, and goes with the last one that holds it. Constants are told apart as in
// WeightStore. Thread-safe.
class DeviceWeights {
 public:
  // `constant` in `device`'s memory under `layout`, a key that names the layout exactly. `pack`
  // writes `bytes` bytes, which start as zeros, in host memory, from which they are uploaded.
  // RESOURCE_EXHAUSTED when memory runs out there or here; else errors of `pack` and the device.
  absl::StatusOr<std::shared_ptr<const void>> GetOrPack(
      Device& device, const Tensor& constant, absl::string_view layout, int64_t bytes,
      absl::FunctionRef<absl::Status(void* packed)> pack);
  // The same with its bytes as they are.
  absl::StatusOr<std::shared_ptr<const void>> GetOrUpload(Device& device, const Tensor& constant);

  // Bytes on all devices that are alive.
  int64_t bytes() const { return bytes_->load(); }

 private:
  // Device, address (null when recoverable), size, and origin and layout.
  using Key = std::tuple<const Device*, const void*, int64_t, std::string>;

  absl::StatusOr<std::shared_ptr<const void>> Upload(Device& device, const Tensor& constant,
                                                     const void* from, int64_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<const void> Find(const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropDeadEntries() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<std::atomic<int64_t>> bytes_ = std::make_shared<std::atomic<int64_t>>(0);
  // Held while uploading, so that others who want the same wait for it.
  Mutex mutex_;
  std::map<Key, std::weak_ptr<const void>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
