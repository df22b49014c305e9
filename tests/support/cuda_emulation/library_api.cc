// The functions of CUDA's runtime for code that is loaded while running: shared objects, whose
// kernels run thread after thread, without barriers, on the calling thread.
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <type_traits>

#include "engine/providers/cuda/launch/elementwise.h"
#include "tests/support/cuda_emulation/emulated_code.h"

namespace {

struct Index {
  unsigned x, y, z;
};

struct Library {
  void* object = nullptr;
  void (*chain)(inferd::cuda::ChainArguments) = nullptr;
  Index* thread_index = nullptr;
  Index* block_index = nullptr;
  Index* block_size = nullptr;
  Index* grid_size = nullptr;
};

// The indices are those of a library.
std::mutex launching;

}  // namespace

extern "C" {

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, cudaJitOption*, void**,
                                unsigned, cudaLibraryOption*, void**, unsigned) {
  using inferd::cuda_emulation::kMagic;
  const char* bytes = static_cast<const char*>(code);
  if (std::memcmp(bytes, kMagic, sizeof(kMagic)) != 0) return cudaErrorInvalidKernelImage;
  uint64_t size = 0;
  std::memcpy(&size, bytes + sizeof(kMagic), sizeof(size));
  char path[] = "/tmp/inferd-test-XXXXXX";
  const int file = mkstemp(path);
  const bool written =
      write(file, bytes + sizeof(kMagic) + sizeof(size), size) == static_cast<ssize_t>(size);
  void* object = written ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  close(file);
  unlink(path);
  if (object == nullptr) return cudaErrorInvalidKernelImage;
  *library = reinterpret_cast<cudaLibrary_t>(new Library{object});
  return cudaSuccess;
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  auto& own = *reinterpret_cast<Library*>(library);
  const auto find = [&](const char* symbol, auto* to) {
    *to = reinterpret_cast<std::remove_pointer_t<decltype(to)>>(dlsym(own.object, symbol));
    return *to != nullptr;
  };
  const bool complete = find(name, &own.chain) && find("threadIdx", &own.thread_index) &&
                        find("blockIdx", &own.block_index) && find("blockDim", &own.block_size) &&
                        find("gridDim", &own.grid_size);
  if (!complete) return cudaErrorSymbolNotFound;
  *kernel = reinterpret_cast<cudaKernel_t>(&own);
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, const void*) { return cudaSuccess; }

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  auto* own = reinterpret_cast<Library*>(library);
  dlclose(own->object);
  delete own;
  return cudaSuccess;
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel,
                                void** arguments) {
  const auto& own = *static_cast<const Library*>(kernel);
  const std::lock_guard<std::mutex> lock(launching);
  *own.block_size = {config->blockDim.x, 1, 1};
  *own.grid_size = {config->gridDim.x, 1, 1};
  for (unsigned block = 0; block < config->gridDim.x; ++block) {
    *own.block_index = {block, 0, 0};
    for (unsigned thread = 0; thread < config->blockDim.x; ++thread) {
      *own.thread_index = {thread, 0, 0};
      own.chain(*static_cast<const inferd::cuda::ChainArguments*>(arguments[0]));
    }
  }
  return cudaSuccess;
}

}  // extern "C"
