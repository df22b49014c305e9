#include "engine/providers/cpu/cpu_features.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace inferd::cpu {
namespace {

// Fails where the processor has no tiles, and where the process may not have them.
bool AskForTiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool DetectBfloat16() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

bool DetectTiles() {
  constexpr unsigned kBfloat16Tiles = 1u << 22;
  constexpr unsigned kTiles = 1u << 24;
  if (!DetectBfloat16() || !AskForTiles()) return false;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kBfloat16Tiles) != 0 &&
         (edx & kTiles) != 0;
}

}  // namespace

bool ComputesBfloat16() {
  static const bool computes = [] {
    ComputesBfloat16Tiles();  // oneDNN wants the permission too
    return DetectBfloat16();
  }();
  return computes;
}

bool ComputesBfloat16Tiles() {
  static const bool computes = DetectTiles();
  return computes;
}

}  // namespace inferd::cpu
