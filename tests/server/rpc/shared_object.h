#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/rpc/shared_memory_regions.h"
#include "server/rpc/system_region.h"

namespace inferd {

// A shared memory object as a client makes one; gone with this. Used by one thread at a time.
class SharedObject {
 public:
  explicit SharedObject(int64_t bytes) {
    static std::atomic<int> count{0};
    key_ = absl::StrCat("/shared-object-test-", getpid(), "-", count++);
    file_ = shm_open(key_.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    EXPECT_GE(file_, 0);
    Truncate(bytes);
  }
  ~SharedObject() {
    close(file_);
    shm_unlink(key_.c_str());
  }
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  const std::string& key() const { return key_; }
  void Truncate(int64_t bytes) { EXPECT_EQ(ftruncate(file_, bytes), 0); }
  void Write(int64_t at, const std::string& bytes) {
    EXPECT_EQ(pwrite(file_, bytes.data(), bytes.size(), at), static_cast<ssize_t>(bytes.size()));
  }
  std::string Read(int64_t at, size_t count) const {
    std::string bytes(count, '\0');
    EXPECT_EQ(pread(file_, bytes.data(), count, at), static_cast<ssize_t>(count));
    return bytes;
  }

 private:
  std::string key_;
  int file_ = -1;
};

inline absl::Status RegisterObject(SharedMemoryRegions& regions, const std::string& name,
                                   const SharedObject& object, uint64_t offset, uint64_t bytes) {
  return regions.Register(name,
                          [&] { return SystemRegion::Open(name, object.key(), offset, bytes); });
}

}  // namespace inferd
