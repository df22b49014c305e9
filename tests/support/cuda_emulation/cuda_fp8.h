#pragma once

// Floats of 8 bits as the kernels use them; see cuda_runtime.h beside this.

#include <cstdint>

#include "engine/core/float16.h"
#include "engine/ops/float_format.h"
#include "tests/support/cuda_emulation/cuda_fp16.h"

using __nv_fp8_storage_t = uint8_t;
using __half_raw = __half;
enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE };
enum __nv_fp8_interpretation_t { __NV_E4M3, __NV_E5M2 };

namespace inferd::cuda_emulation {
inline const FloatFormat& FormatOf(__nv_fp8_interpretation_t kind) {
  return *FindFloatFormat(kind == __NV_E4M3 ? DType::kFloat8E4m3fn : DType::kFloat8E5m2);
}
}  // namespace inferd::cuda_emulation

inline __nv_fp8_storage_t __nv_cvt_float_to_fp8(float x, __nv_saturation_t saturation,
                                                __nv_fp8_interpretation_t kind) {
  return static_cast<uint8_t>(
      inferd::EncodeFloat(x, inferd::cuda_emulation::FormatOf(kind), saturation == __NV_SATFINITE));
}
inline __half_raw __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t x, __nv_fp8_interpretation_t kind) {
  const double value = inferd::DecodeFloat(x, inferd::cuda_emulation::FormatOf(kind));
  return __float2half_rn(static_cast<float>(value));
}
