#include "server/rpc/inflight_bytes.h"

#include "absl/strings/str_cat.h"

namespace inferd {

absl::Status InflightCharge::Add(int64_t bytes) {
  // More than the limit alone is not even added for a moment: others would be refused by it.
  const bool possible = bytes <= total_->limit_;
  const int64_t before =
      possible ? total_->used_.fetch_add(bytes, std::memory_order_relaxed) : total_->used();
  if (!possible || bytes > total_->limit_ - before) {
    if (possible) total_->used_.fetch_sub(bytes, std::memory_order_relaxed);
    return absl::ResourceExhaustedError(
        absl::StrCat("requests in flight may take ", total_->limit_, " bytes in all: ", before,
                     " are taken, this request needs ", bytes, " more; retry later"));
  }
  bytes_ += bytes;
  return absl::OkStatus();
}

void InflightCharge::Set(int64_t bytes) {
  total_->used_.fetch_add(bytes - bytes_, std::memory_order_relaxed);
  bytes_ = bytes;
}

}  // namespace inferd
