#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "engine/core/section_file.h"
#include "engine/core/tensor.h"
#include "engine/plan/packed_memory.h"
#include "engine/plan/packing_buffers.h"

namespace inferd {

// A constant rearranged for one kernel: 64-byte aligned bytes whose meaning the layout key that
// they were packed under gives. Shared by the kernels that read it. Immutable.
class PackedWeights {
 public:
  PackedWeights(std::shared_ptr<const void> bytes, int64_t size)
      : bytes_(std::move(bytes)), size_(size) {}
  const void* data() const { return bytes_.get(); }
  int64_t size() const { return size_; }

 private:
  std::shared_ptr<const void> bytes_;
  int64_t size_;
};

// A model's packed constants: each (constant, exact layout) is packed once and shared by all plans;
// it goes when the last kernel that holds it goes. Constants are told apart by where they came from
// when they are recoverable, so that their own bytes need not stay, else by address. Thread-safe.
class WeightStore {
 public:
  // What `lender` has is taken from there instead of packed; null or it outlives this store.
  explicit WeightStore(const WeightStore* lender = nullptr);
  ~WeightStore();
  WeightStore(const WeightStore&) = delete;
  WeightStore& operator=(const WeightStore&) = delete;

  // Before the first packing: looks into an earlier start's copies, null for none, and names the
  // new ones so that they can be saved.
  void UseCache(std::shared_ptr<const SectionFile> cached);
  // All packed copies that are alive, as they are to be saved; `owners` keeps them alive. Empty
  // without UseCache.
  std::vector<SectionFile::Section> Sections(
      std::vector<std::shared_ptr<const PackedWeights>>* owners) const;

  // `constant` packed under `layout`, a key that names the layout exactly (two kernels that pass
  // equal keys must pack equal bytes). `pack` writes `bytes` bytes, which start as zeros; it runs
  // once even when several threads ask at the same time. RESOURCE_EXHAUSTED when memory runs out.
  // An ordinary constant's storage stays alive as long as a packed copy of it, so that its address
  // can serve as its identity.
  absl::StatusOr<std::shared_ptr<const PackedWeights>> GetOrPack(
      const Tensor& constant, absl::string_view layout, int64_t bytes,
      absl::FunctionRef<absl::Status(void* packed)> pack);

  // Where those that pack read the plain bytes.
  PackingBuffers& buffers() { return buffers_; }
  // After a plan was made: gives the buffers back and begins to move packed weights that lie on
  // small pages to huge ones.
  void FinishPacking();

  // Whether a packed copy exists now: layouts already packed cost no further memory.
  bool Has(const Tensor& constant, absl::string_view layout) const {
    return Find(KeyOf(constant, layout)) != nullptr;
  }
  // Bytes of all packed copies that are alive.
  int64_t packed_bytes() const;
  int num_packed() const;

 private:
  struct Entry;
  // Address, size and layout; no address but the origin before the layout when recoverable.
  using Key = std::pair<std::pair<const void*, int64_t>, std::string>;
  static Key KeyOf(const Tensor& constant, absl::string_view layout);
  // Null when there is no packed copy now.
  std::shared_ptr<const PackedWeights> Find(const Key& key) const;
  // From the earlier start's file; null when it is not there.
  std::shared_ptr<const PackedWeights> FindCached(const std::string& name, int64_t bytes) const;
  std::shared_ptr<Entry> FindOrAddEntry(const Key& key);
  void DropDeadEntries() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const WeightStore* const lender_;
  std::shared_ptr<std::atomic<int64_t>> packed_bytes_;
  PackingBuffers buffers_;
  PackedMemory memory_;
  bool named_ = false;
  std::shared_ptr<const SectionFile> cached_;
  mutable Mutex mutex_;
  std::map<Key, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
