#pragma once

// Which instruction sets Highway compiles for; every file that uses Highway includes this first.
// AVX3_DL is off because code compiled for it faults on Zen 4; SSSE3 gains nothing over SSE4 here.
// The plain 128-bit and AVX2, AVX-512 targets remain and are chosen at run time.
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
