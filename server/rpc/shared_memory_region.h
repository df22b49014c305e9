#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inferd {

// Memory that a client shares, under the name that it registered it with. Requests hold a region
// together with the table of regions, so that it outlives its unregistration. Immutable, what the
// memory holds aside; thread-safe.
class SharedMemoryRegion {
 public:
  enum class Kind : uint8_t { kSystem, kDevice };

  // INVALID_ARGUMENT for a name that is empty, too long or not printable.
  static absl::Status CheckName(absl::string_view name);

  virtual ~SharedMemoryRegion() = default;
  SharedMemoryRegion(const SharedMemoryRegion&) = delete;
  SharedMemoryRegion& operator=(const SharedMemoryRegion&) = delete;

  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  int64_t byte_size() const { return byte_size_; }

  // INVALID_ARGUMENT unless [begin, begin + count) lies within the region.
  absl::Status CheckRange(int64_t begin, int64_t count) const;
  // Copies bytes of the region; the range must have been checked.
  virtual absl::Status Read(int64_t begin, int64_t count, void* to) const = 0;
  // The same the other way.
  virtual absl::Status Write(int64_t begin, absl::string_view bytes) const = 0;

 protected:
  SharedMemoryRegion(Kind kind, const std::string& name, int64_t byte_size)
      : kind_(kind), name_(name), byte_size_(byte_size) {}

  // That a text of a client is printable and has 1 to `most` bytes; `what` it is, for the error.
  static absl::Status CheckText(absl::string_view what, absl::string_view text, size_t most);

 private:
  const Kind kind_;
  const std::string name_;
  const int64_t byte_size_;
};

}  // namespace inferd
