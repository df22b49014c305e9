// NVRTC's functions by this machine's compiler: the code of a kernel is a shared object. Only where
// INFERD_EMULATED_NVRTC is set, since each kernel takes the compiler a while; "broken" compiles
// nothing.
#include <nvrtc.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/providers/cuda/nvrtc_library.h"
#include "tests/support/cuda_emulation/emulated_code.h"

struct _nvrtcProgram {
  std::string source;
  std::string code;
  std::string log;
};

namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

nvrtcResult Version(int* major, int* minor) {
  *major = 13;
  *minor = 0;
  return NVRTC_SUCCESS;
}
const char* ErrorText(nvrtcResult) { return "an emulated error"; }

nvrtcResult Create(nvrtcProgram* program, const char* source, const char*, int, const char* const*,
                   const char* const*) {
  *program = new _nvrtcProgram{source, "", ""};
  return NVRTC_SUCCESS;
}
nvrtcResult Destroy(nvrtcProgram* program) {
  delete *program;
  return NVRTC_SUCCESS;
}

nvrtcResult Compile(nvrtcProgram program, int, const char* const*) {
  const char* how = std::getenv("INFERD_EMULATED_NVRTC");
  if (how != nullptr && std::strcmp(how, "broken") == 0) {
    program->log = "it is broken";
    return NVRTC_ERROR_COMPILATION;
  }
  char folder[] = "/tmp/inferd-test-XXXXXX";
  if (mkdtemp(folder) == nullptr) return NVRTC_ERROR_OUT_OF_MEMORY;
  const std::string base = folder;
  std::ofstream(base + "/kernel.cc") << program->source;
  const std::string command =
      std::string(INFERD_TEST_COMPILER) +
      " -std=c++20 -O1 -w -fPIC -shared -fno-strict-aliasing -ffp-contract=off -I" +
      INFERD_TEST_SOURCE_DIR + "/tests/support/cuda_emulation -I" + INFERD_TEST_SOURCE_DIR +
      " -include generated_kernel.h -o " + base + "/kernel.so " + base + "/kernel.cc 2>" + base +
      "/log";
  const bool compiled = std::system(command.c_str()) == 0;
  program->log = ReadAll(base + "/log");
  if (compiled) program->code = inferd::cuda_emulation::WithSize(ReadAll(base + "/kernel.so"));
  for (const char* name : {"/kernel.cc", "/kernel.so", "/log"}) unlink((base + name).c_str());
  rmdir(folder);
  return compiled ? NVRTC_SUCCESS : NVRTC_ERROR_COMPILATION;
}

nvrtcResult LogSize(nvrtcProgram program, size_t* bytes) {
  *bytes = program->log.size() + 1;
  return NVRTC_SUCCESS;
}
nvrtcResult Log(nvrtcProgram program, char* log) {
  std::memcpy(log, program->log.c_str(), program->log.size() + 1);
  return NVRTC_SUCCESS;
}
nvrtcResult CodeSize(nvrtcProgram program, size_t* bytes) {
  *bytes = program->code.size();
  return NVRTC_SUCCESS;
}
nvrtcResult Code(nvrtcProgram program, char* code) {
  std::memcpy(code, program->code.data(), program->code.size());
  return NVRTC_SUCCESS;
}

}  // namespace

namespace inferd::cuda {

absl::StatusOr<NvrtcLibrary> NvrtcLibrary::Load() {
  if (std::getenv("INFERD_EMULATED_NVRTC") == nullptr) {
    return absl::UnavailableError("the emulated NVRTC is switched off");
  }
  return NvrtcLibrary{Version, ErrorText, Create, Destroy, Compile, LogSize, Log, CodeSize, Code};
}

}  // namespace inferd::cuda
