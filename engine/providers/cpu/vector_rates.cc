#include "engine/providers/cpu/vector_rates.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/providers/cpu/cpu_features.h"

namespace inferd::cpu {
namespace {

// Enough independent sums to keep two units busy through an instruction's latency.
constexpr int kSums = 16;
constexpr int kSteps = 500;
// The fastest of them counts: nothing but interruptions differs.
constexpr int kTries = 9;
// The same gain that a kernel must show to be chosen, with room for what is not a product.
constexpr double kLeastGain = 1.25;

__attribute__((target("avx512f"))) void AddFloats(__m512 (&sums)[kSums]) {
  const __m512 x = _mm512_set1_ps(0.5f);
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(sums[i], x, x);
  }
}

__attribute__((target("avx512f,avx512bf16"))) void AddBfloat16(__m512 (&sums)[kSums]) {
  const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f));
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], x, x);
  }
}

__attribute__((target("avx512f"))) double SecondsOf(void (*add)(__m512 (&)[kSums])) {
  __m512 sums[kSums];
  std::fill_n(sums, kSums, _mm512_setzero_ps());
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    add(sums);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    least = std::min(least, taken.count());
  }
  // Keeps the compiler from leaving the sums out.
  volatile float used = 0;
  for (const __m512& sum : sums) used = used + _mm512_cvtss_f32(sum);
  return least;
}

}  // namespace

double Bfloat16VectorGain() {
  // An instruction of bfloat16 does two multiply-adds where one of floats does one.
  static const double gain = 2 * SecondsOf(AddFloats) / SecondsOf(AddBfloat16);
  return gain;
}

bool GainsByBfloat16() {
  return ComputesBfloat16() && (ComputesBfloat16Tiles() || Bfloat16VectorGain() >= kLeastGain);
}

}  // namespace inferd::cpu
