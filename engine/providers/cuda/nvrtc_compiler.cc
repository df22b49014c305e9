#include "engine/providers/cuda/nvrtc_compiler.h"

#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/kernel_headers.h"

namespace inferd::cuda {
namespace {

// Every step rounds by itself, as it does where steps are separate nodes. The headers also declare
// functions of the host.
constexpr const char* kOptions[] = {"--std=c++17", "--fmad=false",
                                    "--device-as-default-execution-space"};
// Of a compiler's messages in an error.
constexpr size_t kMostLogBytes = 2000;

}  // namespace

absl::StatusOr<NvrtcCompiler> NvrtcCompiler::Load() {
  ASSIGN_OR_RETURN(const NvrtcLibrary library, NvrtcLibrary::Load());
  NvrtcCompiler compiler(library);
  int major = 0;
  int minor = 0;
  if (library.version(&major, &minor) != NVRTC_SUCCESS) {
    return absl::UnavailableError("NVRTC does not tell its version");
  }
  compiler.version_ = absl::StrCat(major, ".", minor);
  compiler.identity_ = absl::StrCat("NVRTC ", compiler.version_);
  for (const char* option : kOptions) absl::StrAppend(&compiler.identity_, " ", option);
  for (const KernelHeader& header : KernelHeaders()) {
    absl::StrAppend(&compiler.identity_, "\n", header.name, ":\n", header.text);
  }
  return compiler;
}

absl::Status NvrtcCompiler::Failed(nvrtcProgram program, nvrtcResult result) const {
  std::string log;
  size_t bytes = 0;
  if (program != nullptr && library_.log_size(program, &bytes) == NVRTC_SUCCESS && bytes > 1) {
    log.resize(bytes);
    // Its end is a zero.
    log.resize(library_.log(program, log.data()) == NVRTC_SUCCESS ? bytes - 1 : 0);
  }
  return absl::UnimplementedError(
      absl::StrCat("NVRTC: ", library_.error_text(result), " ", log.substr(0, kMostLogBytes)));
}

absl::StatusOr<std::string> NvrtcCompiler::Compile(const std::string& source,
                                                   int compute_capability) const {
  std::vector<const char*> names;
  std::vector<const char*> texts;
  for (const KernelHeader& header : KernelHeaders()) {
    names.push_back(header.name);
    texts.push_back(header.text);
  }
  nvrtcProgram made = nullptr;
  nvrtcResult result = library_.create(&made, source.c_str(), "generated.cu",
                                       static_cast<int>(names.size()), texts.data(), names.data());
  if (result != NVRTC_SUCCESS) return Failed(nullptr, result);
  const auto destroy = [this](nvrtcProgram program) { library_.destroy(&program); };
  const std::unique_ptr<std::remove_pointer_t<nvrtcProgram>, decltype(destroy)> program(made,
                                                                                        destroy);
  const std::string architecture = absl::StrCat("--gpu-architecture=sm_", compute_capability);
  std::vector<const char*> options(std::begin(kOptions), std::end(kOptions));
  options.push_back(architecture.c_str());
  result = library_.compile(made, static_cast<int>(options.size()), options.data());
  if (result != NVRTC_SUCCESS) return Failed(made, result);
  size_t bytes = 0;
  result = library_.code_size(made, &bytes);
  std::string code(bytes, '\0');
  if (result == NVRTC_SUCCESS) result = library_.code(made, code.data());
  if (result != NVRTC_SUCCESS || code.empty()) return Failed(made, result);
  return code;
}

}  // namespace inferd::cuda
