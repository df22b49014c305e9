#include "engine/providers/cpu/cpu_provider.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/providers/cpu/dnnl_kernel_builder.h"

namespace inferd {
namespace {

std::string KeyOf(absl::string_view domain, absl::string_view op) {
  return absl::StrCat(domain, ":", op);
}

}  // namespace

CpuProvider::CpuProvider() : primitives_(std::make_unique<cpu::PrimitiveTable>()) {
  // oneDNN's own cache would keep the primitives of unloaded models; ours is bounded. A refusal
  // costs memory only.
  cpu::CatchDnnl("primitive cache", [] {
    dnnl::set_primitive_cache_capacity(0);
    return absl::OkStatus();
  }).IgnoreError();
  for (const CpuKernelDef& def : BuiltinCpuKernels()) {
    kernels_[KeyOf(def.domain, def.op)].push_back(def);
  }
  for (auto& [key, defs] : kernels_) {
    std::stable_sort(defs.begin(), defs.end(),
                     [](const CpuKernelDef& a, const CpuKernelDef& b) { return a.rank < b.rank; });
  }
}

CpuProvider::~CpuProvider() = default;

absl::Span<const CpuKernelDef> CpuProvider::Definitions(const Node& node) const {
  auto it = kernels_.find(KeyOf(node.op->domain, node.op->name));
  if (it == kernels_.end()) return {};
  return it->second;
}

const CpuKernelDef* CpuProvider::First(const Graph& graph, const Node& node) const {
  for (const CpuKernelDef& def : Definitions(node)) {
    if (def.supports(graph, node)) return &def;
  }
  return nullptr;
}

bool CpuProvider::Supports(const Graph& graph, const Node& node) const {
  return First(graph, node) != nullptr;
}

LayoutPreference CpuProvider::Layouts(const Graph& graph, const Node& node) const {
  const CpuKernelDef* def = First(graph, node);
  return def == nullptr ? LayoutPreference::kRowMajor : def->layouts(graph, node);
}

std::vector<std::string> CpuProvider::Candidates(const Graph& graph, const Node& node) const {
  const CpuKernelDef* def = First(graph, node);
  if (def == nullptr || def->candidates == nullptr) return {};
  return def->candidates(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> CpuProvider::Prepare(const Graph& graph,
                                                                  const Node& node,
                                                                  const PrepareContext& context) {
  cpu::CpuPrepareContext cpu_context;
  static_cast<PrepareContext&>(cpu_context) = context;
  cpu_context.primitives = primitives_.get();
  auto kernel = PrepareFirstAble(graph, node, cpu_context);
  if (!absl::IsUnimplemented(kernel.status())) return kernel;
  cpu_context.allow_reference = true;
  return PrepareFirstAble(graph, node, cpu_context);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> CpuProvider::PrepareFirstAble(
    const Graph& graph, const Node& node, const PrepareContext& context) const {
  absl::Status status = absl::UnimplementedError(
      absl::StrCat("the CPU provider has no kernel for ", node.op->name, " ", node.name));
  const LayoutPreference layouts = Layouts(graph, node);
  for (const CpuKernelDef& def : Definitions(node)) {
    // Layouts were assigned for the first that supports the node; others must ask for the same.
    if (!def.supports(graph, node) || def.layouts(graph, node) != layouts) continue;
    auto kernel = def.prepare(graph, node, context);
    if (kernel.ok() || !absl::IsUnimplemented(kernel.status())) return kernel;
    status = kernel.status();
  }
  return status;
}

std::unique_ptr<ExecutionProvider> MakeCpuProvider() { return std::make_unique<CpuProvider>(); }

}  // namespace inferd
