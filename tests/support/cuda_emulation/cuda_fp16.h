#pragma once

// float16 as the kernels use it; see cuda_runtime.h beside this.

#include "engine/core/float16.h"

struct __half {
  inferd::Float16 value;
};

inline float __half2float(__half x) { return static_cast<float>(x.value); }
inline __half __float2half_rn(float x) { return {static_cast<inferd::Float16>(x)}; }
