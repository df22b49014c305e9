#pragma once

#include <cstdint>

namespace inferd::cuda {

struct __align__(16) Sixteen {
  uint64_t low, high;
};

// Calls `body` with a null pointer to a type of so many bytes: 1, 2, 4, 8 or 16.
template <typename Body>
void WithElement(int bytes, Body body) {
  switch (bytes) {
    case 1:
      return body(static_cast<uint8_t*>(nullptr));
    case 2:
      return body(static_cast<uint16_t*>(nullptr));
    case 4:
      return body(static_cast<uint32_t*>(nullptr));
    case 8:
      return body(static_cast<uint64_t*>(nullptr));
    case 16:
      return body(static_cast<Sixteen*>(nullptr));
  }
}

}  // namespace inferd::cuda
