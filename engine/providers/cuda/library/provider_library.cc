#include "engine/providers/provider_library.h"

#include "engine/providers/cuda/cuda_provider.h"
#include "engine/providers/interface_id.h"

namespace {

constexpr inferd::ProviderLibrary kLibrary = {INFERD_INTERFACE_ID, inferd::cuda::CudaDevice::Count,
                                              inferd::cuda::CudaProvider::Make};

}  // namespace

// What the engine calls after it loaded the library.
extern "C" const inferd::ProviderLibrary* inferd_provider_library() { return &kLibrary; }
