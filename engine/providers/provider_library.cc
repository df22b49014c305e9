#include "engine/providers/provider_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/interface_id.h"

namespace inferd {

absl::string_view InterfaceId() { return INFERD_INTERFACE_ID; }

std::string ProviderLibraryPath(absl::string_view name) {
  Dl_info info;
  std::string folder = ".";
  if (dladdr(reinterpret_cast<void*>(&ProviderLibraryPath), &info) != 0 && info.dli_fname) {
    const std::string engine = info.dli_fname;
    if (const size_t slash = engine.rfind('/'); slash != std::string::npos) {
      folder = engine.substr(0, slash);
    }
  }
  return absl::StrCat(folder, "/libinferd_", name, ".so");
}

namespace {

absl::StatusOr<const ProviderLibrary*> Load(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no ", path));
  }
  // Never closed: kernels and memory of the library may outlive any one provider.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(path, " cannot be loaded: ", dlerror()));
  }
  const auto function =
      reinterpret_cast<ProviderLibraryFunction>(dlsym(library, kProviderLibraryFunction));
  if (function == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is no provider: it has no function ", kProviderLibraryFunction));
  }
  const ProviderLibrary* found = function();
  if (found->interface_id != InterfaceId()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " was built with other headers than this engine: expected interface ",
                     InterfaceId(), ", got ", found->interface_id));
  }
  return found;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExecutionProvider>> LoadProvider(const std::string& path,
                                                                const EngineConfig& config) {
  ASSIGN_OR_RETURN(const ProviderLibrary* library, Load(path));
  return library->make(config);
}

absl::StatusOr<int> CountDevices(const std::string& path) {
  ASSIGN_OR_RETURN(const ProviderLibrary* library, Load(path));
  return library->devices();
}

}  // namespace inferd
