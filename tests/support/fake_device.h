#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/mutex.h"
#include "engine/providers/device.h"
#include "engine/providers/execution_provider.h"

namespace inferd::testing {

// A device whose memory is the host's but can be touched only while the device works, so that a
// host kernel that reads it dies; and whose work is done no earlier than somebody waits for it, so
// that who reads a copy without waiting reads rubbish. Thread-safe.
class FakeDevice : public Device {
 public:
  explicit FakeDevice(int ordinal = 0) : name_("fake:" + std::to_string(ordinal)) {}
  ~FakeDevice() override;

  absl::string_view name() const override { return name_; }
  absl::StatusOr<std::shared_ptr<void>> Allocate(int64_t bytes) override;
  absl::Status Upload(void* to, const void* from, int64_t bytes) override;
  absl::StatusOr<std::unique_ptr<DeviceContext>> MakeContext() override;
  // Any process shares kSharedBytes bytes, zeros at first, by the handle kSharedHandle.
  absl::StatusOr<std::unique_ptr<DeviceRegion>> OpenRegion(absl::string_view handle,
                                                           int64_t bytes) override;
  static constexpr absl::string_view kSharedHandle = "fake memory";
  static constexpr int64_t kSharedBytes = 65536;
  DeviceCosts costs() const override { return costs_; }
  bool usable() const override { return usable_; }
  std::vector<DeviceStatistic> Statistics() const override {
    return {{"fake_allocated_bytes",
             "Memory in use",
             false,
             {{"device", name_}},
             double(allocated_bytes_)}};
  }

  // Runs `work` with the memory accessible.
  absl::Status Work(absl::FunctionRef<absl::Status()> work);

  void set_costs(const DeviceCosts& costs) { costs_ = costs; }
  void set_cap_bytes(int64_t bytes) { cap_bytes_ = bytes; }
  // The next `count` runs of a kernel or graph fail.
  void FailNext(int count) { failures_ = count; }
  void set_usable(bool usable) { usable_ = usable; }
  // The next failure is its last: it is not usable any more.
  void DieNext() {
    dies_ = true;
    FailNext(1);
  }
  // Takes one of the failures asked for.
  bool TakeFailure();

  int64_t allocated_bytes() const { return allocated_bytes_; }
  int contexts() const { return contexts_; }
  int launches() const { return launches_; }
  void CountContext(int by) { contexts_ += by; }
  void CountLaunch() { ++launches_; }

 private:
  void Protect(int protection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  DeviceCosts costs_ = {0, 1e18, 0, 1e18, 1e18};  // everything pays
  int64_t cap_bytes_ = int64_t{1} << 40;
  std::atomic<bool> usable_{true};
  std::atomic<bool> dies_{false};
  std::atomic<int> failures_{0};
  std::atomic<int64_t> allocated_bytes_{0};
  std::atomic<int> contexts_{0};
  std::atomic<int> launches_{0};
  Mutex mutex_;
  std::map<void*, int64_t> blocks_ ABSL_GUARDED_BY(mutex_);
};

// Runs the nodes that `takes` accepts by their portable kernels on a FakeDevice.
class FakeDeviceProvider : public ExecutionProvider {
 public:
  using Takes = std::function<bool(const Graph&, const Node&)>;
  explicit FakeDeviceProvider(Takes takes = nullptr, int ordinal = 0)
      : takes_(std::move(takes)), device_(ordinal) {}

  absl::string_view name() const override { return "fake"; }
  Device* device() const override { return &device_; }
  FakeDevice& fake() const { return device_; }
  bool Supports(const Graph& graph, const Node& node) const override;
  LayoutPreference Layouts(const Graph&, const Node&) const override {
    return LayoutPreference::kRowMajor;
  }
  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                       const PrepareContext& context) override;

 private:
  const Takes takes_;
  mutable FakeDevice device_;
};

}  // namespace inferd::testing
