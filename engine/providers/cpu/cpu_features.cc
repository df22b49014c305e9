#include "engine/providers/cpu/cpu_features.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace inferd::cpu {
namespace {

// Whether or not the processor has tiles: where it has none, or where the process may not have
// them, the answer is an error and products run without.
void AskForTiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  static_cast<void>(syscall(SYS_arch_prctl, kRequestPermission, kTileData));
}

bool DetectBfloat16() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512bw")) return false;
  AskForTiles();
  return true;
}

}  // namespace

bool ComputesBfloat16() {
  static const bool computes = DetectBfloat16();
  return computes;
}

}  // namespace inferd::cpu
