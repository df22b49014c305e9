#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/providers/cuda/nvrtc_library.h"

namespace inferd::cuda {

// Compiles CUDA source at run time, with the headers of launch/ that generated kernels include
// built in. Immutable; Compile may be called by many threads at once.
class NvrtcCompiler {
 public:
  // UNAVAILABLE with the reason where NVRTC cannot be loaded.
  static absl::StatusOr<NvrtcCompiler> Load();

  // Machine code for GPUs of that compute capability (90 is 9.0), in which extern "C" kernels have
  // their names. UNIMPLEMENTED with the compiler's messages when it does not compile.
  absl::StatusOr<std::string> Compile(const std::string& source, int compute_capability) const;

  // All that code depends on besides source and GPU: NVRTC's version, its options, the headers.
  const std::string& identity() const { return identity_; }
  const std::string& version() const { return version_; }  // "13.0"

 private:
  explicit NvrtcCompiler(const NvrtcLibrary& library) : library_(library) {}
  absl::Status Failed(nvrtcProgram program, nvrtcResult result) const;

  const NvrtcLibrary library_;
  std::string version_;
  std::string identity_;
};

}  // namespace inferd::cuda
