#include "engine/plan/device_weights.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/device.h"

namespace inferd {
namespace {

// Address and origin of a constant: one of them is its identity.
std::pair<const void*, std::string> IdentityOf(const Tensor& constant) {
  const RecoverableBytes* bytes = constant.recoverable();
  if (bytes == nullptr) return {constant.raw(), ""};
  return {nullptr, std::string(bytes->origin())};
}

}  // namespace

absl::StatusOr<std::shared_ptr<const void>> DeviceWeights::GetOrPack(
    Device& device, const Tensor& constant, absl::string_view layout, int64_t bytes,
    absl::FunctionRef<absl::Status(void* packed)> pack) {
  const auto [address, origin] = IdentityOf(constant);
  const Key key = {&device, address, bytes, absl::StrCat(origin, "\n", layout)};
  MutexLock lock(&mutex_);
  if (auto found = Find(key)) return found;
  ASSIGN_OR_RETURN(Tensor packed, Tensor::Allocate(DType::kUint8, Shape({bytes})));
  std::fill_n(packed.mutable_data<uint8_t>(), bytes, uint8_t{0});
  RETURN_IF_ERROR(pack(packed.mutable_raw()));
  ASSIGN_OR_RETURN(auto uploaded, Upload(device, constant, packed.raw(), bytes));
  entries_[key] = uploaded;
  return uploaded;
}

absl::StatusOr<std::shared_ptr<const void>> DeviceWeights::GetOrUpload(Device& device,
                                                                       const Tensor& constant) {
  const auto [address, origin] = IdentityOf(constant);
  const Key key = {&device, address, constant.byte_size(), absl::StrCat(origin, "\nplain")};
  MutexLock lock(&mutex_);
  if (auto found = Find(key)) return found;
  ASSIGN_OR_RETURN(auto uploaded, Upload(device, constant, constant.raw(), constant.byte_size()));
  entries_[key] = uploaded;
  return uploaded;
}

absl::StatusOr<std::shared_ptr<const void>> DeviceWeights::Upload(Device& device,
                                                                  const Tensor& constant,
                                                                  const void* from, int64_t bytes) {
  DropDeadEntries();
  ASSIGN_OR_RETURN(std::shared_ptr<void> memory, device.Allocate(std::max<int64_t>(bytes, 1)));
  if (bytes > 0) RETURN_IF_ERROR(device.Upload(memory.get(), from, bytes));
  bytes_->fetch_add(bytes);
  void* data = memory.get();
  // An ordinary constant lives as long, so that its address can serve as its identity.
  Tensor kept = constant.recoverable() == nullptr ? constant : Tensor();
  return std::shared_ptr<const void>(data, [bytes, total = bytes_, memory = std::move(memory),
                                            kept = std::move(kept)](const void*) mutable {
    total->fetch_sub(bytes);
    // Not only when the last weak pointer goes.
    memory.reset();
    kept = Tensor();
  });
}

std::shared_ptr<const void> DeviceWeights::Find(const Key& key) {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : it->second.lock();
}

void DeviceWeights::DropDeadEntries() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    it = it->second.expired() ? entries_.erase(it) : std::next(it);
  }
}

}  // namespace inferd
