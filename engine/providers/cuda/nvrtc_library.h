#pragma once

#include <nvrtc.h>

#include "absl/status/statusor.h"

namespace inferd::cuda {

// The functions that are used of NVRTC, which is loaded only if it is there. A value type.
struct NvrtcLibrary {
  decltype(&nvrtcVersion) version = nullptr;
  decltype(&nvrtcGetErrorString) error_text = nullptr;
  decltype(&nvrtcCreateProgram) create = nullptr;
  decltype(&nvrtcDestroyProgram) destroy = nullptr;
  decltype(&nvrtcCompileProgram) compile = nullptr;
  decltype(&nvrtcGetProgramLogSize) log_size = nullptr;
  decltype(&nvrtcGetProgramLog) log = nullptr;
  decltype(&nvrtcGetCUBINSize) code_size = nullptr;
  decltype(&nvrtcGetCUBIN) code = nullptr;

  // UNAVAILABLE with the reason where there is no such library.
  static absl::StatusOr<NvrtcLibrary> Load();
};

}  // namespace inferd::cuda
