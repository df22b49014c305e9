#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace inferd {

// Memory that a device gives, and scratch in it, begins at multiples of this many bytes; values in
// it, which may be parts of others, at multiples of the second.
inline constexpr int64_t kDeviceAlignment = 256;
inline constexpr int64_t kDeviceValueAlignment = 64;

// Work that was recorded once and is given to a device as a whole. Used by the context that made
// it, one run at a time.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  virtual absl::Status Launch() = 0;
};

// One executor's queue of work on a device: what it is given is done in order, later. Destroying it
// waits for what it was given. Used by one thread at a time.
class DeviceContext {
 public:
  virtual ~DeviceContext() = default;

  // `from`, host memory, may change as soon as this returns.
  virtual absl::Status CopyToDevice(void* to, const void* from, int64_t bytes) = 0;
  // `to`, host memory, holds the bytes after Wait.
  virtual absl::Status CopyToHost(void* to, const void* from, int64_t bytes) = 0;
  // Returns when all is done. Errors are those of anything given since the last Wait:
  // INVALID_ARGUMENT when values were to blame; after any other the context is to be destroyed.
  virtual absl::Status Wait() = 0;

  // Records what `work` gives this context, without doing it. UNIMPLEMENTED where the device
  // cannot; an error of `work` is returned.
  virtual absl::StatusOr<std::unique_ptr<DeviceGraph>> Record(
      absl::FunctionRef<absl::Status()> /*work*/) {
    return absl::UnimplementedError("this device records no work");
  }

  // Does what `work` gives this context and waits for it: how long the device took. Errors are
  // those of `work` and Wait.
  virtual absl::StatusOr<absl::Duration> Time(absl::FunctionRef<absl::Status()> work) {
    absl::Status status = Wait();
    const absl::Time start = absl::Now();
    if (status.ok()) status = work();
    if (status.ok()) status = Wait();
    if (!status.ok()) return status;
    return absl::Now() - start;
  }
};

// What work on a device takes, as a partition estimates it.
struct DeviceCosts {
  double copy_seconds = 10e-6;          // of the smallest copy, either way
  double copy_bytes_per_second = 10e9;  // either way
  double step_seconds = 4e-6;           // of the smallest step
  double bytes_per_second = 1e12;       // that steps read and write
  double flops_per_second = 10e12;
};

// One of a device's counters or gauges, for metrics: the names and units are the provider's.
struct DeviceStatistic {
  std::string name;  // a Prometheus name, such as "nv_gpu_utilization"
  std::string help;
  bool counter = false;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

// Memory of a device that another process made and shares with this one. It must go before the
// device does. Thread-safe.
class DeviceRegion {
 public:
  virtual ~DeviceRegion() = default;
  // Copies at once, apart from any context. The range lies within what was opened.
  virtual absl::Status Read(int64_t begin, int64_t count, void* to) const = 0;
  virtual absl::Status Write(int64_t begin, const void* from, int64_t count) const = 0;
};

// Memory that is not the host's, with what works there. Owned by its provider. Thread-safe.
class Device {
 public:
  virtual ~Device() = default;
  // Such as "cuda:0"; in errors and plan dumps.
  virtual absl::string_view name() const = 0;

  // kDeviceAlignment aligned, uninitialised; must go before the device does. RESOURCE_EXHAUSTED
  // when there is not as much left or over the provider's cap.
  virtual absl::StatusOr<std::shared_ptr<void>> Allocate(int64_t bytes) = 0;
  // Copies at once, apart from any context.
  virtual absl::Status Upload(void* to, const void* from, int64_t bytes) = 0;
  virtual absl::StatusOr<std::unique_ptr<DeviceContext>> MakeContext() = 0;
  // The first `bytes` bytes of what another process shares by `handle`, whose form is the device's.
  // INVALID_ARGUMENT when it is no such handle or there are fewer bytes; UNIMPLEMENTED where memory
  // cannot be shared.
  virtual absl::StatusOr<std::unique_ptr<DeviceRegion>> OpenRegion(absl::string_view /*handle*/,
                                                                   int64_t /*bytes*/) {
    return absl::UnimplementedError("this device shares no memory between processes");
  }

  virtual DeviceCosts costs() const { return {}; }
  // False once the device does not answer any more: nothing is given to it then.
  virtual bool usable() const { return true; }
  virtual std::vector<DeviceStatistic> Statistics() const { return {}; }
};

}  // namespace inferd
