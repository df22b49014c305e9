#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

// A message that came compressed, expanded piece by piece: each piece is admitted before it is
// taken, so that a few bytes that stand for very many cost no more memory than a large message
// does. Immutable.
class InflatedBytes {
 public:
  // Reads `compressed`, gzip or zlib ("deflate"), to its end. What the bytes take is added to
  // `charge`. RESOURCE_EXHAUSTED past `limit_bytes` or the charge's limit, INVALID_ARGUMENT for
  // bytes that are not compressed so.
  static absl::StatusOr<InflatedBytes> Inflate(
      google::protobuf::io::ZeroCopyInputStream* compressed, int64_t limit_bytes,
      InflightCharge* charge);

  int64_t size() const { return size_; }

  // Reads the bytes from the start. The bytes must outlive it. Used by one thread at a time.
  class Stream final : public google::protobuf::io::ZeroCopyInputStream {
   public:
    explicit Stream(const InflatedBytes* bytes) : pieces_(bytes->pieces_) {}
    bool Next(const void** data, int* size) override;
    void BackUp(int count) override;
    bool Skip(int count) override;
    int64_t ByteCount() const override { return read_; }

   private:
    const std::vector<std::string>& pieces_;
    size_t piece_ = 0;  // the next one
    size_t begin_ = 0;  // of what is left of it
    int64_t read_ = 0;
  };

 private:
  std::vector<std::string> pieces_;
  int64_t size_ = 0;
};

}  // namespace inferd
