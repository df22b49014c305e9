#pragma once

#include <cstdint>
#include <string>

#include "engine/core/dtype.h"

namespace inferd {

struct Bytes16 {
  uint64_t low = 0;
  uint64_t high = 0;
};

// Calls fn(TypeTag<T>) with a T of the element's size that only moves it: an unsigned integer,
// Bytes16 (complex128) or std::string. T() is the type's zero. For operators that do not calculate.
template <typename Fn>
auto DispatchStorage(DType dtype, Fn&& fn) {
  if (dtype == DType::kString) return fn(TypeTag<std::string>());
  switch (ElementBytes(dtype)) {
    case 1:
      return fn(TypeTag<uint8_t>());
    case 2:
      return fn(TypeTag<uint16_t>());
    case 4:
      return fn(TypeTag<uint32_t>());
    case 8:
      return fn(TypeTag<uint64_t>());
    default:
      return fn(TypeTag<Bytes16>());
  }
}

}  // namespace inferd
