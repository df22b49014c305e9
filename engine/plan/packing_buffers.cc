#include "engine/plan/packing_buffers.h"

#include <utility>

#include "engine/core/pages.h"
#include "engine/core/status_macros.h"

namespace inferd {

absl::StatusOr<std::shared_ptr<const void>> PackingBuffers::Read(const Tensor& constant) {
  const RecoverableBytes* bytes = constant.recoverable();
  if (bytes != nullptr && bytes->size() <= kBufferBytes) {
    if (std::shared_ptr<void> buffer = Borrow()) {
      RETURN_IF_ERROR(bytes->CopyTo(buffer.get()));
      return buffer;
    }
  }
  return std::shared_ptr<const void>(std::shared_ptr<void>(), constant.raw());
}

void PackingBuffers::Drop() {
  std::vector<std::shared_ptr<void>> dropped;
  MutexLock lock(&free_->mutex);
  dropped.swap(free_->buffers);
}

std::shared_ptr<void> PackingBuffers::Borrow() {
  std::shared_ptr<void> memory;
  {
    MutexLock lock(&free_->mutex);
    if (!free_->buffers.empty()) {
      memory = std::move(free_->buffers.back());
      free_->buffers.pop_back();
    }
  }
  // All of the same size: only what is written takes memory.
  if (memory == nullptr) memory = AllocateSmallPages(kBufferBytes);
  if (memory == nullptr) return nullptr;
  void* address = memory.get();
  return std::shared_ptr<void>(address, [free = free_, memory = std::move(memory)](void*) mutable {
    MutexLock lock(&free->mutex);
    free->buffers.push_back(std::move(memory));
  });
}

}  // namespace inferd
