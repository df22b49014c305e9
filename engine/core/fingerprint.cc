#include "engine/core/fingerprint.h"

#include <cstring>

#include "absl/strings/str_format.h"

namespace inferd {
namespace {

constexpr int kLanes = 4;
constexpr int64_t kBlock = kLanes * 8;
// Odd, with their bits spread: the fractions of the square roots of the first primes.
constexpr uint64_t kMultipliers[kLanes] = {0x6a09e667f3bcc909, 0xbb67ae8584caa73b,
                                           0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1};

uint64_t Mix(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

struct State {
  uint64_t lanes[kLanes] = {1, 2, 3, 4};

  void Add(const unsigned char* block) {
    uint64_t words[kLanes];
    std::memcpy(words, block, kBlock);
    // A word that makes a factor 0 must not wipe out what came before: the sum keeps it.
    for (int i = 0; i < kLanes; ++i) {
      lanes[i] = lanes[i] * kMultipliers[i] + Mix(words[i] ^ kMultipliers[(i + 1) % kLanes],
                                                  lanes[i] ^ kMultipliers[(i + 2) % kLanes]);
    }
  }
};

}  // namespace

std::string Fingerprint::ToHex() const { return absl::StrFormat("%016x%016x", high, low); }

Fingerprint FingerprintOf(const void* bytes, int64_t size) {
  State state;
  const auto* at = static_cast<const unsigned char*>(bytes);
  int64_t left = size;
  for (; left >= kBlock; left -= kBlock, at += kBlock) state.Add(at);
  unsigned char tail[kBlock] = {};
  if (left > 0) std::memcpy(tail, at, static_cast<size_t>(left));
  state.Add(tail);
  std::memset(tail, 0, sizeof(tail));
  std::memcpy(tail, &size, sizeof(size));
  state.Add(tail);
  Fingerprint result;
  result.low = Mix(state.lanes[0] ^ kMultipliers[3], state.lanes[1] ^ kMultipliers[2]) +
               Mix(state.lanes[2] ^ kMultipliers[0], state.lanes[3] ^ kMultipliers[1]);
  result.high = Mix(state.lanes[0] ^ kMultipliers[1], state.lanes[2] ^ kMultipliers[3]) ^
                Mix(state.lanes[1] + kMultipliers[0], state.lanes[3] + kMultipliers[2]);
  return result;
}

}  // namespace inferd
