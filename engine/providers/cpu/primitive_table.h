#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "dnnl.hpp"
#include "engine/core/mutex.h"

namespace inferd::cpu {

// A oneDNN primitive and what its users need to know of it. Execution with scratchpad of the
// caller is thread-safe. Immutable.
struct DnnlPrimitive {
  dnnl::primitive primitive;
  dnnl::memory::desc weights;  // the layout to pack weights in, where there are any
  dnnl::memory::desc scratchpad;
  std::string implementation;  // "brgconv:avx512_core"
};

// oneDNN primitives by a key that names kind, shapes, attributes and threads, so that equal layers
// and plans share the generated code. Takes the place of oneDNN's own cache, which keeps its memory
// after models unload. The least recently used go first; kernels keep theirs alive. Thread-safe.
class PrimitiveTable {
 public:
  explicit PrimitiveTable(int capacity = 1024) : capacity_(capacity) {}
  PrimitiveTable(const PrimitiveTable&) = delete;
  PrimitiveTable& operator=(const PrimitiveTable&) = delete;

  // The primitive under `key`, made by `create` when absent. Two threads may create the same at
  // once; one result is kept.
  absl::StatusOr<std::shared_ptr<const DnnlPrimitive>> GetOrCreate(
      const std::string& key, absl::FunctionRef<absl::StatusOr<DnnlPrimitive>()> create);

  int size() const;
  int64_t hits() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const DnnlPrimitive> primitive;
  };
  std::shared_ptr<const DnnlPrimitive> FindLocked(const std::string& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int capacity_;
  mutable Mutex mutex_;
  std::list<Entry> recent_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  int64_t hits_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace inferd::cpu
