#pragma once

#include <cstdint>

#include "engine/ops/image/picture.h"

namespace inferd::image {

// `count` bytes (at most 8) from `at` on as one number, the lowest byte first. The caller has
// checked that they are there.
inline uint64_t ReadLittleEndian(Bytes data, size_t at, int count) {
  uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | data[at + i];
  return value;
}

// The same, the highest byte first.
inline uint64_t ReadBigEndian(Bytes data, size_t at, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | data[at + i];
  return value;
}

}  // namespace inferd::image
