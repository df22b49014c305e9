#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/mutex.h"
#include "engine/core/tensor.h"

namespace inferd {

// Where constants lie while kernels pack them. Fresh memory costs more than reading the bytes does,
// so one constant after another is read into the same buffer, of which there is one for each thread
// that packs. Owned by a WeightStore; buffers may outlive it. Thread-safe.
class PackingBuffers {
 public:
  // A larger constant is read where it is kept, so that no buffer grows beyond this.
  static constexpr int64_t kBufferBytes = int64_t{32} << 20;

  PackingBuffers() : free_(std::make_shared<FreeBuffers>()) {}

  // The bytes of `constant` for as long as the result lives, which is meant to be until they are
  // packed. The constant must live as long.
  absl::StatusOr<std::shared_ptr<const void>> Read(const Tensor& constant);
  // Gives the memory of buffers that nobody uses back to the system.
  void Drop();

 private:
  struct FreeBuffers {
    Mutex mutex;
    std::vector<std::shared_ptr<void>> buffers ABSL_GUARDED_BY(mutex);
  };

  std::shared_ptr<void> Borrow();

  const std::shared_ptr<FreeBuffers> free_;
};

}  // namespace inferd
