#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/rpc/shared_memory_regions.h"

namespace inferd {

// The bytes of one input as they lie in a received message, in one piece or in several, or in
// shared memory. What it reads must outlive it and every tensor that borrows from it. Immutable.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual int64_t size() const = 0;
  // The first byte when all lie in one piece; null when they must be copied out.
  virtual const char* contiguous() const = 0;
  // Copies bytes [begin, begin + count), which must be within size(). Fails where others can take
  // the bytes away, and may then give others the next time.
  virtual absl::Status Copy(int64_t begin, int64_t count, void* to) const = 0;
};

// Bytes in memory, such as a field of a parsed message. Immutable.
class StringSource : public ByteSource {
 public:
  explicit StringSource(absl::string_view bytes) : bytes_(bytes) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  const char* contiguous() const override { return bytes_.data(); }
  absl::Status Copy(int64_t begin, int64_t count, void* to) const override {
    std::memcpy(to, bytes_.data() + begin, count);
    return absl::OkStatus();
  }

 private:
  const absl::string_view bytes_;
};

// Bytes in shared memory, which its owner may change or cut while they are read: each copy may
// differ from the one before. Immutable.
class SharedMemorySource : public ByteSource {
 public:
  explicit SharedMemorySource(const SharedMemoryRange& range) : range_(range) {}
  int64_t size() const override { return range_.byte_size; }
  const char* contiguous() const override { return nullptr; }
  absl::Status Copy(int64_t begin, int64_t count, void* to) const override {
    return range_.region->Read(range_.offset + begin, count, to);
  }

 private:
  const SharedMemoryRange& range_;
};

}  // namespace inferd
