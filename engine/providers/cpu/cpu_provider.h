#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/execution_provider.h"

namespace inferd {

namespace cpu {
class PrimitiveTable;
}

// The CPU: oneDNN for convolutions, matrix products and pools, own SIMD kernels for the rest. A
// table from operator to kernel definitions; the kernels are in kernels/. Thread-safe.
class CpuProvider : public ExecutionProvider {
 public:
  CpuProvider();
  ~CpuProvider() override;

  absl::string_view name() const override { return "cpu"; }
  bool Supports(const Graph& graph, const Node& node) const override;
  LayoutPreference Layouts(const Graph& graph, const Node& node) const override;
  std::vector<std::string> Candidates(const Graph& graph, const Node& node) const override;
  // When no definition that supports the node is fast for its bound shapes, a slow one is taken:
  // layouts are assigned by then, so that the node cannot go to another provider.
  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                       const PrepareContext& context) override;

 private:
  // All definitions for the node's operator, in the order of preference.
  absl::Span<const CpuKernelDef> Definitions(const Node& node) const;
  // The first that supports the node, or null.
  const CpuKernelDef* First(const Graph& graph, const Node& node) const;
  absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareFirstAble(
      const Graph& graph, const Node& node, const PrepareContext& context) const;

  // By "domain:op", each list ordered by rank.
  absl::flat_hash_map<std::string, std::vector<CpuKernelDef>> kernels_;
  std::unique_ptr<cpu::PrimitiveTable> primitives_;
};

std::unique_ptr<ExecutionProvider> MakeCpuProvider();

}  // namespace inferd
