// Registrations and uses of shared memory with any names, offsets and sizes, while the object is
// cut and grows: refused, or within the region, and never an access past what there is.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/rpc/shared_memory_regions.h"
#include "server/rpc/system_region.h"

namespace {

constexpr int64_t kMaxObjectBytes = 1 << 16;

// The bytes of the input, taken one value after the other; zeros after its end.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  uint8_t Byte() { return empty() ? 0 : data_[at_++]; }
  uint64_t Number() {
    // Small ones and those near the ends of the range are the interesting ones.
    const uint8_t kind = Byte();
    uint64_t number = 0;
    for (int i = 0; i < (kind & 7) + 1; ++i) number = number << 8 | Byte();
    return (kind & 8) != 0 ? ~number : number;
  }
  std::string Text() {
    std::string text;
    for (int count = Byte() % 32; count > 0; --count) text.push_back(static_cast<char>(Byte()));
    return text;
  }

 private:
  const uint8_t* const data_;
  const size_t size_;
  size_t at_ = 0;
};

// The object that regions are made of; one for the whole run.
class Object {
 public:
  Object() : key_(absl::StrCat("/shared-memory-fuzz-", getpid())) {
    file_ = shm_open(key_.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file_ < 0) std::abort();
    shm_name = key_;
    std::atexit([] { shm_unlink(shm_name.c_str()); });
  }
  const std::string& key() const { return key_; }
  void Resize(uint64_t bytes) {
    if (ftruncate(file_, static_cast<off_t>(bytes % kMaxObjectBytes)) != 0) std::abort();
  }

 private:
  static inline std::string shm_name;
  const std::string key_;
  int file_;
};

void Use(const inferd::SharedMemoryRegions& regions, Input* input) {
  const auto region = regions.Find(input->Text());
  const auto begin = static_cast<int64_t>(input->Number());
  const auto count = static_cast<int64_t>(input->Number());
  if (!region.ok() || !(*region)->CheckRange(begin, count).ok()) return;
  if (begin < 0 || count < 0 || begin > (*region)->byte_size() - count) std::abort();
  if (count > kMaxObjectBytes) return;
  std::string bytes(static_cast<size_t>(count), '\0');
  (void)(*region)->Read(begin, count, bytes.data());
  (void)(*region)->Write(begin, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Object& object = *new Object();
  inferd::SharedMemoryRegions regions(4, kMaxObjectBytes);
  Input input(data, size);
  while (!input.empty()) {
    switch (input.Byte() % 5) {
      case 0:
        object.Resize(input.Number());
        break;
      case 1: {
        const std::string name = input.Text();
        const std::string key = input.Byte() % 4 == 0 ? input.Text() : object.key();
        // Separate statements: the order of arguments is anybody's.
        const uint64_t offset = input.Number();
        const uint64_t bytes = input.Number();
        (void)regions.Register(
            name, [&] { return inferd::SystemRegion::Open(name, key, offset, bytes); });
        break;
      }
      case 2:
        regions.Unregister(inferd::SharedMemoryRegion::Kind::kSystem, input.Text());
        break;
      default:
        Use(regions, &input);
    }
    if (regions.count() > 4 || regions.bytes() > kMaxObjectBytes) std::abort();
  }
  return 0;
}
