#pragma once

// Which instruction sets Highway compiles for; every file that uses Highway includes this first.
// AVX3_DL is off because code compiled for it faults on Zen 4; SSSE3 gains nothing over SSE4 here.
// SSE4, AVX2 and AVX-512 (AVX3) remain, beside plain scalar code, and are chosen at run time.
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSSE3)
