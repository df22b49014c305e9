#include "engine/providers/cuda/generated_kernels.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/kernel_file.h"

namespace inferd::cuda {
namespace {

// Threads of a larger grid would only wait for their turn.
constexpr int64_t kMostBlocks = 65536;

}  // namespace

absl::StatusOr<std::shared_ptr<const GeneratedKernel>> GeneratedKernel::Load(
    CudaDevice& device, const std::string& code, int elements_per_thread) {
  cudaLibrary_t library = nullptr;
  RETURN_IF_ERROR(device.Check(
      cudaLibraryLoadData(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
      "a generated kernel"));
  std::shared_ptr<GeneratedKernel> kernel(new GeneratedKernel(library, elements_per_thread));
  RETURN_IF_ERROR(
      device.Check(cudaLibraryGetKernel(&kernel->kernel_, library, ElementwiseSource::kKernel),
                   "a generated kernel"));
  // Loads it now: while work is recorded that could not be done.
  cudaFuncAttributes attributes;
  RETURN_IF_ERROR(device.Check(
      cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel->kernel_)),
      "a generated kernel"));
  return std::shared_ptr<const GeneratedKernel>(std::move(kernel));
}

GeneratedKernel::~GeneratedKernel() { cudaLibraryUnload(library_); }

void GeneratedKernel::Launch(const ChainArguments& chain, cudaStream_t stream) const {
  if (chain.elements == 0) return;
  const int64_t per_block = int64_t{ElementwiseSource::kThreads} * elements_per_thread_;
  const int64_t blocks = (chain.elements + per_block - 1) / per_block;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(std::min(blocks, kMostBlocks)));
  config.blockDim = dim3(ElementwiseSource::kThreads);
  config.stream = stream;
  ChainArguments given = chain;
  void* arguments[] = {&given};
  cudaLaunchKernelExC(&config, reinterpret_cast<const void*>(kernel_), arguments);
}

GeneratedKernels::GeneratedKernels(CudaDevice& device, std::string cache_folder)
    : device_(device), folder_(std::move(cache_folder)) {
  auto compiler = NvrtcCompiler::Load();
  if (!compiler.ok()) {
    report_ = absl::StrCat("elementwise chains interpreted: ", compiler.status().message());
    return;
  }
  report_ = absl::StrCat("elementwise chains compiled by NVRTC ", compiler->version());
  compiler_.emplace(*std::move(compiler));
}

absl::StatusOr<std::shared_ptr<const GeneratedKernel>> GeneratedKernels::For(
    const ElementwiseProgram& program) {
  if (!compiler_.has_value()) return absl::UnavailableError(report_);
  const auto general = ElementwiseSource::Of(program, ElementwiseSource::Sizes::kArguments);
  if (!general.has_value()) return absl::UnimplementedError("a number is not finite");
  const auto own = ElementwiseSource::Of(program, ElementwiseSource::Sizes::kConstants);
  MutexLock lock(&mutex_);
  if (kernels_.contains(own->text)) return FindOrMake(*own);
  if (kernels_.size() < kMostKernels && ++sizes_[general->text] <= kMostSizes) {
    return FindOrMake(*own);
  }
  return FindOrMake(*general);
}

absl::StatusOr<std::shared_ptr<const GeneratedKernel>> GeneratedKernels::FindOrMake(
    const ElementwiseSource& source) {
  if (const auto it = kernels_.find(source.text); it != kernels_.end()) return it->second;
  if (kernels_.size() >= kMostKernels) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the model has ", kMostKernels, " generated kernels"));
  }
  auto made = Make(source);
  // An error that is not sticky must not be found by the next launch.
  if (!made.ok()) cudaGetLastError();
  kernels_.emplace(source.text, made);
  return made;
}

absl::StatusOr<std::shared_ptr<const GeneratedKernel>> GeneratedKernels::Make(
    const ElementwiseSource& source) {
  const int capability = device_.compute_capability();
  const std::string key = absl::StrCat("elementwise kernel\nsm_", capability, "\n",
                                       compiler_->identity(), "\n", source.text);
  if (!folder_.empty()) {
    if (const auto code = ReadKernelFile(folder_, key); code.has_value()) {
      auto kernel = GeneratedKernel::Load(device_, *code, source.elements_per_thread);
      if (kernel.ok()) return kernel;
      cudaGetLastError();
    }
  }
  if (compile_time_ > kMostCompileTime) {
    return absl::ResourceExhaustedError(
        absl::StrCat("generated kernels took ", absl::FormatDuration(compile_time_),
                     " to compile, expected at most ", absl::FormatDuration(kMostCompileTime)));
  }
  const absl::Time begin = absl::Now();
  const auto code = compiler_->Compile(source.text, capability);
  compile_time_ += absl::Now() - begin;
  RETURN_IF_ERROR(code.status());
  ASSIGN_OR_RETURN(auto kernel, GeneratedKernel::Load(device_, *code, source.elements_per_thread));
  // A folder that is full or gone only costs the next start.
  if (!folder_.empty()) WriteKernelFile(folder_, key, *code).IgnoreError();
  return kernel;
}

}  // namespace inferd::cuda
