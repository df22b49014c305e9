#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/providers/cuda/cuda_kernel.h"

namespace inferd::cuda {

// The definitions by operator that a device of some compute capability has. Needs no device, so
// that what is supported can be asked without one. Immutable.
class KernelTable {
 public:
  explicit KernelTable(int compute_capability);

  // The first definition that takes the node, or null.
  const CudaKernelDef* Find(const Graph& graph, const Node& node) const;

 private:
  absl::flat_hash_map<std::string, std::vector<CudaKernelDef>> by_op_;  // "domain:op"
};

}  // namespace inferd::cuda
