#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace inferd {

// The bytes of one input as they lie in a received message: in one piece or in several. What it
// reads must outlive it and every tensor that borrows from it. Immutable.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual int64_t size() const = 0;
  // The first byte when all lie in one piece; null when they must be copied out.
  virtual const char* contiguous() const = 0;
  // Copies bytes [begin, begin + count), which must be within size().
  virtual void Copy(int64_t begin, int64_t count, void* to) const = 0;
};

// A `bytes` field of a parsed message. Immutable.
class StringSource : public ByteSource {
 public:
  explicit StringSource(const std::string& bytes) : bytes_(bytes) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  const char* contiguous() const override { return bytes_.data(); }
  void Copy(int64_t begin, int64_t count, void* to) const override {
    std::memcpy(to, bytes_.data() + begin, count);
  }

 private:
  const std::string& bytes_;
};

}  // namespace inferd
