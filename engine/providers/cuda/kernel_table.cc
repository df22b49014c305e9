#include "engine/providers/cuda/kernel_table.h"

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"

namespace inferd::cuda {

KernelTable::KernelTable(int compute_capability) {
  for (const CudaKernelDef& def : BuiltinCudaKernels()) {
    if (def.compute_capability > compute_capability) continue;
    by_op_[absl::StrCat(def.domain, ":", def.op)].push_back(def);
  }
}

const CudaKernelDef* KernelTable::Find(const Graph& graph, const Node& node) const {
  // Definitions look at the first of each without asking.
  if (node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs.empty() ||
      node.outputs[0] == kNoValue) {
    return nullptr;
  }
  const auto it = by_op_.find(absl::StrCat(node.op->domain, ":", node.op->name));
  if (it == by_op_.end()) return nullptr;
  for (const CudaKernelDef& def : it->second) {
    if (def.supports(graph, node)) return &def;
  }
  return nullptr;
}

}  // namespace inferd::cuda
