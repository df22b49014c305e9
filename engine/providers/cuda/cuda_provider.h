#pragma once

#include <memory>
#include <string>

#include "config/engine_config.h"
#include "engine/providers/cuda/blas_lt.h"
#include "engine/providers/cuda/cuda_device.h"
#include "engine/providers/cuda/cudnn_planner.h"
#include "engine/providers/cuda/generated_kernels.h"
#include "engine/providers/cuda/kernel_table.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cuda {

// An NVIDIA GPU: matrix products by cuBLASLt, convolutions by cuDNN, own kernels for the rest.
// Thread-safe.
class CudaProvider : public ExecutionProvider {
 public:
  static absl::StatusOr<std::unique_ptr<ExecutionProvider>> Make(const EngineConfig& config);

  CudaProvider(std::unique_ptr<CudaDevice> device, BlasLt blas, const EngineConfig& config);

  absl::string_view name() const override { return "cuda"; }
  std::string description() const override;
  Device* device() const override { return device_.get(); }
  bool Supports(const Graph& graph, const Node& node) const override;
  LayoutPreference Layouts(const Graph& graph, const Node& node) const override;
  std::vector<std::string> Candidates(const Graph& graph, const Node& node) const override;
  std::string tuning_identity() const override;
  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                       const PrepareContext& context) override;

 private:
  const std::unique_ptr<CudaDevice> device_;
  const BlasLt blas_;
  CudnnPlanner planner_;
  GeneratedKernels generated_;
  const bool tf32_;
  const KernelTable kernels_;
};

}  // namespace inferd::cuda
