#pragma once

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"

namespace inferd {

// Equal tensors collected one an iteration and joined along a new axis. Copies what it is given.
// Used by one thread at a time.
class ScanStack {
 public:
  // `expected`: how many there will be, if known, else 0. No tensor may take more than
  // `limit_bytes`.
  ScanStack(int64_t expected, int64_t limit_bytes)
      : expected_(expected), limit_bytes_(limit_bytes) {}

  bool empty() const { return count_ == 0; }
  // INVALID_ARGUMENT when the part's type differs from the first's.
  absl::Status Append(const Tensor& part);
  // All parts along `axis` of the result; the last first when `reversed`. Requires !empty().
  absl::StatusOr<Tensor> Finish(int64_t axis, bool reversed);

 private:
  absl::Status Grow();

  const int64_t expected_;
  const int64_t limit_bytes_;
  DType dtype_ = DType::kInvalid;
  Shape part_;
  Tensor stack_;  // [capacity, part...]
  int64_t capacity_ = 0;
  int64_t count_ = 0;
};

}  // namespace inferd
