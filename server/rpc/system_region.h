#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/rpc/shared_memory_region.h"

namespace inferd {

// A piece of a POSIX shared memory object.
//
// The object is never mapped. Its owner may shrink it or write to it at any moment, and objects of
// shm_open cannot be sealed against that. Behind a mapping the first would end the process with
// SIGBUS, as would a full /dev/shm, and the second would change values after they were checked: a
// length, an index, a BOOL. So bytes are copied out with pread and in with pwrite, which know where
// the object ends at that moment; what is wrong then is an error of that one request.
class SystemRegion : public SharedMemoryRegion {
 public:
  // Opens the bytes [offset, offset + byte_size) of the object `key`, read-only where it may not be
  // written to. INVALID_ARGUMENT for a bad name, key or range, or one past the object's real end;
  // NOT_FOUND for no such object, PERMISSION_DENIED, RESOURCE_EXHAUSTED for no file descriptor.
  static absl::StatusOr<std::shared_ptr<const SystemRegion>> Open(const std::string& name,
                                                                  const std::string& key,
                                                                  uint64_t offset,
                                                                  uint64_t byte_size);
  ~SystemRegion() override;

  const std::string& key() const { return key_; }
  int64_t offset() const { return offset_; }  // of the region in the object
  bool writable() const { return writable_; }

  // INVALID_ARGUMENT when the object has become too small, INTERNAL for what the system says.
  absl::Status Read(int64_t begin, int64_t count, void* to) const override;
  // The same; RESOURCE_EXHAUSTED when there is no memory for the object's pages.
  absl::Status Write(int64_t begin, absl::string_view bytes) const override;

 private:
  SystemRegion(const std::string& name, const std::string& key, int64_t offset, int64_t byte_size)
      : SharedMemoryRegion(Kind::kSystem, name, byte_size), key_(key), offset_(offset) {}
  absl::Status OpenObject();
  // That the object still reaches to the end of that range.
  absl::Status CheckObject(int64_t begin, int64_t count) const;

  const std::string key_;
  const int64_t offset_;
  int file_ = -1;
  bool writable_ = false;
};

}  // namespace inferd
