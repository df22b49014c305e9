#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/core/mutex.h"
#include "engine/providers/cuda/cuda_device.h"
#include "engine/providers/cuda/elementwise_source.h"
#include "engine/providers/cuda/nvrtc_compiler.h"

namespace inferd::cuda {

// Code that was made for one elementwise program and is in the driver's hands. Immutable; Launch
// may be called by many threads at once. Must go before its device.
class GeneratedKernel {
 public:
  // An error where the driver does not take the code.
  static absl::StatusOr<std::shared_ptr<const GeneratedKernel>> Load(CudaDevice& device,
                                                                     const std::string& code,
                                                                     int elements_per_thread);
  GeneratedKernel(const GeneratedKernel&) = delete;
  GeneratedKernel& operator=(const GeneratedKernel&) = delete;
  ~GeneratedKernel();

  // What goes wrong is found by who asks for the last error.
  void Launch(const ChainArguments& chain, cudaStream_t stream) const;

 private:
  GeneratedKernel(cudaLibrary_t library, int elements_per_thread)
      : library_(library), elements_per_thread_(elements_per_thread) {}

  const cudaLibrary_t library_;
  cudaKernel_t kernel_ = nullptr;
  const int elements_per_thread_;
};

// Makes a kernel for each elementwise program that is asked for, once for all that have the same
// source, in memory and, with a folder, on disk. Nothing here makes a load fail: without a kernel
// the program is interpreted. Thread-safe.
class GeneratedKernels {
 public:
  // Kernels that one model may have, and the time that compiling them may take; programs beyond
  // are interpreted.
  static constexpr size_t kMostKernels = 1024;
  // Kernels with constant sizes for programs that differ in their sizes alone; further ones share
  // one that is given them.
  static constexpr int kMostSizes = 4;
  static constexpr absl::Duration kMostCompileTime = absl::Seconds(60);

  // An empty folder: nothing is kept.
  GeneratedKernels(CudaDevice& device, std::string cache_folder);

  // An error says why the program is to be interpreted: UNAVAILABLE where all are.
  absl::StatusOr<std::shared_ptr<const GeneratedKernel>> For(const ElementwiseProgram& program);

  // For the log: what compiles, or why nothing does.
  const std::string& report() const { return report_; }

 private:
  absl::StatusOr<std::shared_ptr<const GeneratedKernel>> FindOrMake(const ElementwiseSource& source)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<const GeneratedKernel>> Make(const ElementwiseSource& source)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CudaDevice& device_;
  const std::string folder_;
  std::optional<NvrtcCompiler> compiler_;
  std::string report_;
  Mutex mutex_;
  // By source, also those that failed.
  absl::flat_hash_map<std::string, absl::StatusOr<std::shared_ptr<const GeneratedKernel>>> kernels_
      ABSL_GUARDED_BY(mutex_);
  // How many of them there are with constant sizes, by the source without.
  absl::flat_hash_map<std::string, int> sizes_ ABSL_GUARDED_BY(mutex_);
  absl::Duration compile_time_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd::cuda
