#include "engine/providers/cuda/nvrtc_library.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"

namespace inferd::cuda {

absl::StatusOr<NvrtcLibrary> NvrtcLibrary::Load() {
  const std::string name = absl::StrCat("libnvrtc.so.", CUDART_VERSION / 1000);
  // Stays loaded: opening it is slow, and several models ask.
  void* opened = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) return absl::UnavailableError(absl::StrCat(name, " cannot be loaded"));
  NvrtcLibrary library;
  const auto find = [opened](const char* symbol, auto* function) {
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(dlsym(opened, symbol));
    return *function != nullptr;
  };
  const bool complete =
      find("nvrtcVersion", &library.version) && find("nvrtcGetErrorString", &library.error_text) &&
      find("nvrtcCreateProgram", &library.create) &&
      find("nvrtcDestroyProgram", &library.destroy) &&
      find("nvrtcCompileProgram", &library.compile) &&
      find("nvrtcGetProgramLogSize", &library.log_size) &&
      find("nvrtcGetProgramLog", &library.log) && find("nvrtcGetCUBINSize", &library.code_size) &&
      find("nvrtcGetCUBIN", &library.code);
  if (!complete) return absl::UnavailableError(absl::StrCat(name, " lacks functions"));
  return library;
}

}  // namespace inferd::cuda
