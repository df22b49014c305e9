#include "tests/bench/machine_peak.h"

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

namespace inferd::bench {
namespace {

using Clock = std::chrono::steady_clock;

// More independent sums than the latency of an FMA times its throughput.
constexpr int kSums = 12;
constexpr int64_t kCallRounds = 20'000;

// Does `rounds` rounds and returns the operations done. The sums go through an empty asm so that
// they are neither dropped nor folded into a formula.
using Work = double (*)(int64_t rounds);

__attribute__((target("avx512f"))) double FloatAvx512(int64_t rounds) {
  __m512 sums[kSums], x = _mm512_set1_ps(0.5f);
#pragma GCC unroll 12
  for (__m512& sum : sums) sum = _mm512_set1_ps(1);
  for (int64_t n = 0; n < rounds; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      sums[i] = _mm512_fmadd_ps(sums[i], x, x);
      asm volatile("" : "+v"(sums[i]));
    }
  }
  return static_cast<double>(rounds) * kSums * 16 * 2;
}

__attribute__((target("avx2,fma"))) double FloatAvx2(int64_t rounds) {
  __m256 sums[kSums], x = _mm256_set1_ps(0.5f);
#pragma GCC unroll 12
  for (__m256& sum : sums) sum = _mm256_set1_ps(1);
  for (int64_t n = 0; n < rounds; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      sums[i] = _mm256_fmadd_ps(sums[i], x, x);
      asm volatile("" : "+x"(sums[i]));
    }
  }
  return static_cast<double>(rounds) * kSums * 8 * 2;
}

__attribute__((target("avx512f,avx512bf16"))) double Bfloat16Avx512(int64_t rounds) {
  __m512 sums[kSums];
#pragma GCC unroll 12
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  const __m512bh x = _mm512_cvtne2ps_pbh(sums[0], sums[0]);
  for (int64_t n = 0; n < rounds; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      sums[i] = _mm512_dpbf16_ps(sums[i], x, x);
      asm volatile("" : "+v"(sums[i]));
    }
  }
  return static_cast<double>(rounds) * kSums * 32 * 2;
}

__attribute__((target("avx512f,avx512vnni"))) double Int8Avx512(int64_t rounds) {
  __m512i sums[kSums], x = _mm512_set1_epi32(0);
#pragma GCC unroll 12
  for (__m512i& sum : sums) sum = x;
  for (int64_t n = 0; n < rounds; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], x, x);
      asm volatile("" : "+v"(sums[i]));
    }
  }
  return static_cast<double>(rounds) * kSums * 64 * 2;
}

// Eight tiles of 16 rows of 64 bytes, as palette 1 of AMX has them.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

constexpr double kTileProducts = 16 * 16 * 16 * 2;  // operations on 32-bit groups of a tile pair
constexpr int kTileSums = 4;

__attribute__((target("amx-tile"))) void ZeroTiles() {
  const TileConfig config;
  // The intrinsic tells g++ that it reads the first 8 bytes only.
  asm volatile("" : : "r"(&config) : "memory");
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
}

__attribute__((target("amx-tile,amx-bf16"))) double Bfloat16Tiles(int64_t rounds) {
  ZeroTiles();
  for (int64_t n = 0; n < rounds; ++n) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  _tile_release();
  return static_cast<double>(rounds) * kTileSums * kTileProducts * 2;
}

__attribute__((target("amx-tile,amx-int8"))) double Int8Tiles(int64_t rounds) {
  ZeroTiles();
  for (int64_t n = 0; n < rounds; ++n) {
    _tile_dpbusd(0, 4, 5);
    _tile_dpbusd(1, 4, 5);
    _tile_dpbusd(2, 4, 5);
    _tile_dpbusd(3, 4, 5);
  }
  _tile_release();
  return static_cast<double>(rounds) * kTileSums * kTileProducts * 4;
}

// Whether the CPU has the tiles and the kernel lets this process use them.
bool MayUseTiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  // Of leaf 7's EDX.
  constexpr unsigned kBf16 = 1u << 22, kTile = 1u << 24, kInt8 = 1u << 25;
  constexpr unsigned kAll = kBf16 | kTile | kInt8;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kAll) != kAll) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

double Rate(Work work, double seconds) {
  if (work == nullptr) return 0;
  work(kCallRounds);
  double done = 0;
  const Clock::time_point start = Clock::now();
  double passed = 0;
  do {
    done += work(kCallRounds);
    passed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (passed < seconds);
  return done / passed / 1e9;
}

// The sum over threads that work at the same time.
template <typename Measure>
double OnThreads(int threads, Measure measure) {
  std::vector<double> rates(threads);
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back([&, t] { rates[t] = measure(); });
  rates[0] = measure();
  for (std::thread& other : others) other.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

Work FloatWork() {
  if (__builtin_cpu_supports("avx512f")) return FloatAvx512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? FloatAvx2 : nullptr;
}

Work Bfloat16Work(bool tiles) {
  if (tiles) return Bfloat16Tiles;
  return __builtin_cpu_supports("avx512bf16") ? Bfloat16Avx512 : nullptr;
}

Work Int8Work(bool tiles) {
  if (tiles) return Int8Tiles;
  return __builtin_cpu_supports("avx512vnni") ? Int8Avx512 : nullptr;
}

}  // namespace

double MeasureFloatPeak(double seconds) { return Rate(FloatWork(), seconds); }

double MeasureCopyPeak(double seconds) {
  constexpr size_t kBytes = size_t{128} << 20;
  std::vector<char> from(kBytes, 1), to(kBytes);
  double done = 0, passed = 0;
  const Clock::time_point start = Clock::now();
  do {
    std::memcpy(to.data(), from.data(), kBytes);
    asm volatile("" : : "r"(to.data()) : "memory");
    done += 2.0 * kBytes;
    passed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (passed < seconds);
  return done / passed / 1e9;
}

MachinePeak MeasurePeak(double seconds, int threads) {
  const bool tiles = MayUseTiles();
  const auto rate_of = [&](Work work) {
    return OnThreads(threads, [&] { return Rate(work, seconds); });
  };
  MachinePeak peak;
  peak.fp32_gops = rate_of(FloatWork());
  peak.bf16_gops = rate_of(Bfloat16Work(tiles));
  peak.int8_gops = rate_of(Int8Work(tiles));
  peak.copy_gigabytes = OnThreads(threads, [&] { return MeasureCopyPeak(seconds); });
  return peak;
}

std::string MachinePeak::Json() const {
  char text[256];
  std::snprintf(text, sizeof text,
                "{\"fp32_gops\": %.1f, \"bf16_gops\": %.1f, \"int8_gops\": %.1f, "
                "\"copy_gb_per_s\": %.2f}",
                fp32_gops, bf16_gops, int8_gops, copy_gigabytes);
  return text;
}

}  // namespace inferd::bench
