#pragma once

// bfloat16 as the kernels use it; see cuda_runtime.h beside this.

#include "engine/core/float16.h"

struct __nv_bfloat16 {
  inferd::Bfloat16 value;
};

inline float __bfloat162float(__nv_bfloat16 x) { return static_cast<float>(x.value); }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return {static_cast<inferd::Bfloat16>(x)}; }
