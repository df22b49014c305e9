#include "tests/support/fake_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/providers/portable/portable_kernel.h"

namespace inferd::testing {
namespace {

constexpr int64_t kPage = 4096;
constexpr int kRubbish = 0xa5;

// Work that waits until somebody waits for it.
class FakeContext : public DeviceContext {
 public:
  using Task = std::function<absl::Status()>;

  explicit FakeContext(FakeDevice& device) : device_(device) { device_.CountContext(1); }
  ~FakeContext() override {
    Wait().IgnoreError();
    device_.CountContext(-1);
  }

  absl::Status CopyToDevice(void* to, const void* from, int64_t bytes) override {
    std::string staged(static_cast<const char*>(from), bytes);
    Give([to, staged = std::move(staged)] {
      std::memcpy(to, staged.data(), staged.size());
      return absl::OkStatus();
    });
    return absl::OkStatus();
  }

  absl::Status CopyToHost(void* to, const void* from, int64_t bytes) override {
    std::memset(to, kRubbish, bytes);
    Give([to, from, bytes] {
      std::memcpy(to, from, bytes);
      return absl::OkStatus();
    });
    return absl::OkStatus();
  }

  absl::Status Wait() override {
    return device_.Work([this] {
      std::vector<Task> tasks = std::move(tasks_);
      tasks_.clear();
      for (const Task& task : tasks) RETURN_IF_ERROR(task());
      return absl::OkStatus();
    });
  }

  absl::StatusOr<std::unique_ptr<DeviceGraph>> Record(
      absl::FunctionRef<absl::Status()> work) override;

  void Give(Task task) { tasks_.push_back(std::move(task)); }

 private:
  FakeDevice& device_;
  std::vector<Task> tasks_;
};

class FakeGraph : public DeviceGraph {
 public:
  FakeGraph(FakeDevice& device, FakeContext& context, std::vector<FakeContext::Task> tasks)
      : device_(device), context_(context), tasks_(std::move(tasks)) {}

  absl::Status Launch() override {
    device_.CountLaunch();
    for (const FakeContext::Task& task : tasks_) context_.Give(task);
    return absl::OkStatus();
  }

 private:
  FakeDevice& device_;
  FakeContext& context_;
  const std::vector<FakeContext::Task> tasks_;
};

absl::StatusOr<std::unique_ptr<DeviceGraph>> FakeContext::Record(
    absl::FunctionRef<absl::Status()> work) {
  std::vector<Task> before = std::exchange(tasks_, {});
  const absl::Status status = work();
  std::vector<Task> recorded = std::exchange(tasks_, std::move(before));
  RETURN_IF_ERROR(status);
  return std::make_unique<FakeGraph>(device_, *this, std::move(recorded));
}

// A portable kernel whose work is given to the context.
class FakeDeviceKernel : public BoundKernel {
 public:
  FakeDeviceKernel(FakeDevice& device, const Node& node)
      : device_(device),
        portable_(std::make_shared<PortableKernel>(node, true, int64_t{1} << 34)) {}

  absl::Status Run(const StepContext& context) const override {
    for (const Tensor* tensor : context.inputs) RETURN_IF_ERROR(CheckAlignment(tensor));
    for (const Tensor* tensor : context.outputs) RETURN_IF_ERROR(CheckAlignment(tensor));
    // As a launch does: the addresses are those of now.
    std::vector<std::pair<bool, Tensor>> inputs;
    std::vector<std::pair<bool, Tensor>> outputs;
    for (const Tensor* input : context.inputs) inputs.push_back(Copied(input));
    for (const Tensor* output : context.outputs) outputs.push_back(Copied(output));
    auto task = [this, portable = portable_, inputs, outputs]() mutable -> absl::Status {
      if (device_.TakeFailure()) return absl::InternalError("the device failed as it was told to");
      std::vector<const Tensor*> ins;
      std::vector<Tensor*> outs;
      for (auto& [is, tensor] : inputs) ins.push_back(is ? &tensor : nullptr);
      for (auto& [is, tensor] : outputs) outs.push_back(is ? &tensor : nullptr);
      return portable->Run({ins, absl::MakeSpan(outs)});
    };
    static_cast<FakeContext*>(context.device)->Give(std::move(task));
    return absl::OkStatus();
  }
  std::string description() const override { return "fake"; }

 private:
  static absl::Status CheckAlignment(const Tensor* tensor) {
    const auto address = reinterpret_cast<uintptr_t>(tensor == nullptr ? nullptr : tensor->raw());
    if (address % kDeviceValueAlignment == 0) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("a value on the device begins at byte ",
                                            address % kDeviceValueAlignment, " of ",
                                            kDeviceValueAlignment));
  }

  static std::pair<bool, Tensor> Copied(const Tensor* tensor) {
    return tensor == nullptr ? std::pair<bool, Tensor>() : std::pair(true, *tensor);
  }

  FakeDevice& device_;
  const std::shared_ptr<const PortableKernel> portable_;
};

class FakeRegion : public DeviceRegion {
 public:
  FakeRegion(FakeDevice& device, std::shared_ptr<void> memory)
      : device_(device), memory_(std::move(memory)) {}

  absl::Status Read(int64_t begin, int64_t count, void* to) const override {
    return device_.Work([&] {
      std::memcpy(to, bytes() + begin, count);
      return absl::OkStatus();
    });
  }
  absl::Status Write(int64_t begin, const void* from, int64_t count) const override {
    return device_.Work([&]() -> absl::Status {
      if (device_.TakeFailure()) return absl::InternalError("the device failed as it was told to");
      std::memcpy(bytes() + begin, from, count);
      return absl::OkStatus();
    });
  }

 private:
  char* bytes() const { return static_cast<char*>(memory_.get()); }

  FakeDevice& device_;
  const std::shared_ptr<void> memory_;
};

}  // namespace

FakeDevice::~FakeDevice() = default;

absl::StatusOr<std::shared_ptr<void>> FakeDevice::Allocate(int64_t bytes) {
  const int64_t rounded = (bytes + kPage - 1) / kPage * kPage;
  if (allocated_bytes_ + rounded > cap_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(name_, " has no ", bytes, " bytes left of ", cap_bytes_));
  }
  void* block = mmap(nullptr, rounded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return absl::ResourceExhaustedError("out of memory");
  allocated_bytes_ += rounded;
  MutexLock lock(&mutex_);
  blocks_[block] = rounded;
  return std::shared_ptr<void>(block, [this, rounded](void* data) {
    MutexLock freeing(&mutex_);
    blocks_.erase(data);
    munmap(data, rounded);
    allocated_bytes_ -= rounded;
  });
}

void FakeDevice::Protect(int protection) {
  for (const auto& [block, bytes] : blocks_) mprotect(block, bytes, protection);
}

absl::Status FakeDevice::Work(absl::FunctionRef<absl::Status()> work) {
  MutexLock lock(&mutex_);
  Protect(PROT_READ | PROT_WRITE);
  absl::Status status = work();
  Protect(PROT_NONE);
  return status;
}

absl::Status FakeDevice::Upload(void* to, const void* from, int64_t bytes) {
  return Work([&] {
    std::memcpy(to, from, bytes);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::unique_ptr<DeviceContext>> FakeDevice::MakeContext() {
  return std::make_unique<FakeContext>(*this);
}

absl::StatusOr<std::unique_ptr<DeviceRegion>> FakeDevice::OpenRegion(absl::string_view handle,
                                                                     int64_t bytes) {
  if (handle != kSharedHandle || bytes > kSharedBytes) {
    return absl::InvalidArgumentError(absl::StrCat(name_, ": expected the handle '", kSharedHandle,
                                                   "' and at most ", kSharedBytes, " bytes"));
  }
  ASSIGN_OR_RETURN(std::shared_ptr<void> memory, Allocate(kSharedBytes));
  return std::make_unique<FakeRegion>(*this, std::move(memory));
}

bool FakeDevice::TakeFailure() {
  if (failures_ == 0) return false;
  --failures_;
  if (dies_) usable_ = false;
  return true;
}

bool FakeDeviceProvider::Supports(const Graph& graph, const Node& node) const {
  return node.op->compute != nullptr && node.op->deterministic &&
         (takes_ == nullptr || takes_(graph, node));
}

absl::StatusOr<std::unique_ptr<BoundKernel>> FakeDeviceProvider::Prepare(const Graph&,
                                                                         const Node& node,
                                                                         const PrepareContext&) {
  return std::make_unique<FakeDeviceKernel>(device_, node);
}

}  // namespace inferd::testing
