#include "engine/providers/cuda/cuda_provider.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
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

namespace {

constexpr absl::string_view kCandidate = "algorithm ";

// 0 for what is no candidate's name.
int RankOf(absl::string_view candidate) {
  int rank = 0;
  const bool is = absl::ConsumePrefix(&candidate, kCandidate) && absl::SimpleAtoi(candidate, &rank);
  return is && rank > 0 ? rank : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExecutionProvider>> CudaProvider::Make(const EngineConfig& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<CudaDevice> device,
                   CudaDevice::Open(config.device_ordinal, config.max_device_bytes));
  ASSIGN_OR_RETURN(BlasLt blas, BlasLt::Make());
  return std::unique_ptr<ExecutionProvider>(
      std::make_unique<CudaProvider>(std::move(device), std::move(blas), config));
}

CudaProvider::CudaProvider(std::unique_ptr<CudaDevice> device, BlasLt blas,
                           const EngineConfig& config)
    : device_(std::move(device)),
      blas_(std::move(blas)),
      generated_(*device_, config.cache_dir),
      tf32_(config.tf32),
      kernels_(device_->compute_capability()) {}

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

std::vector<std::string> CudaProvider::Candidates(const Graph& graph, const Node& node) const {
  const CudaKernelDef* def = kernels_.Find(graph, node);
  std::vector<std::string> names;
  if (def == nullptr || def->algorithms == 1) return names;
  for (int rank = 0; rank < def->algorithms; ++rank)
    names.push_back(absl::StrCat(kCandidate, rank));
  return names;
}

// The ranks of algorithms mean something else to every version of the libraries.
std::string CudaProvider::tuning_identity() const {
  return absl::StrCat("cuda, ", device_->Description(), ", cuBLASLt ", cublasLtGetVersion(),
                      ", cuDNN ", cudnnGetVersion(), tf32_ ? ", tf32" : "");
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
  cuda.rank = RankOf(context.candidate);
  RETURN_IF_ERROR(device_->MakeCurrent());
  auto kernel = def->prepare(graph, node, cuda);
  // All of them are CudaKernels.
  if (kernel.ok()) static_cast<CudaKernel&>(**kernel).Generate(generated_);
  // What libraries tried in vain must not be found by the next launch.
  cudaGetLastError();
  return kernel;
}

}  // namespace inferd::cuda
