#include "engine/providers/cuda/cuda_provider.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {

absl::Status CudaKernel::Run(const StepContext& context) const {
  auto& cuda = static_cast<CudaContext&>(*context.device);
  RETURN_IF_ERROR(cuda.device().MakeCurrent());
  RETURN_IF_ERROR(Launch(context, cuda));
  return LaunchStatus(description());
}

absl::StatusOr<std::unique_ptr<ExecutionProvider>> CudaProvider::Make(const EngineConfig& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<CudaDevice> device,
                   CudaDevice::Open(0, config.max_device_bytes));
  ASSIGN_OR_RETURN(BlasLt blas, BlasLt::Make());
  return std::unique_ptr<ExecutionProvider>(
      std::make_unique<CudaProvider>(std::move(device), std::move(blas), config));
}

CudaProvider::CudaProvider(std::unique_ptr<CudaDevice> device, BlasLt blas,
                           const EngineConfig& config)
    : device_(std::move(device)),
      blas_(std::move(blas)),
      generated_(*device_, config.cache_dir),
      tf32_(config.tf32) {}

std::string CudaProvider::description() const {
  return absl::StrCat(device_->Description(), ", ", generated_.report());
}

bool CudaProvider::Supports(const Graph& graph, const Node& node) const {
  return device_->usable() && kernels_.Find(graph, node) != nullptr;
}

LayoutPreference CudaProvider::Layouts(const Graph& graph, const Node& node) const {
  const CudaKernelDef* def = kernels_.Find(graph, node);
  return def == nullptr ? LayoutPreference::kRowMajor : def->layouts;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> CudaProvider::Prepare(const Graph& graph,
                                                                   const Node& node,
                                                                   const PrepareContext& context) {
  const CudaKernelDef* def = kernels_.Find(graph, node);
  if (def == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("the CUDA provider has no kernel for ", node.op->name, " ", node.name));
  }
  CudaPrepareContext cuda;
  static_cast<PrepareContext&>(cuda) = context;
  cuda.device = device_.get();
  cuda.blas = &blas_;
  cuda.planner = &planner_;
  cuda.generated = &generated_;
  cuda.tf32 = tf32_;
  RETURN_IF_ERROR(device_->MakeCurrent());
  auto kernel = def->prepare(graph, node, cuda);
  // All of them are CudaKernels.
  if (kernel.ok()) static_cast<CudaKernel&>(**kernel).Generate(generated_);
  // What libraries tried in vain must not be found by the next launch.
  cudaGetLastError();
  return kernel;
}

}  // namespace inferd::cuda
