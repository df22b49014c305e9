#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace inferd {

// 128 bits that differ, but for chance, where bytes differ; the same in every process and build of
// the same word size. Fast (memory speed), not cryptographic: no defence against someone who picks
// the bytes.
struct Fingerprint {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Fingerprint&) const = default;
  std::string ToHex() const;  // 32 digits
};

Fingerprint FingerprintOf(const void* bytes, int64_t size);
inline Fingerprint FingerprintOf(absl::string_view text) {
  return FingerprintOf(text.data(), static_cast<int64_t>(text.size()));
}

}  // namespace inferd
