#pragma once

#include <cstdint>
#include <optional>

#include "engine/core/tensor.h"

namespace inferd {

// A constant of a bound graph that takes other sizes or contents when a model is bound to sequences
// of another length. A value type.
struct LengthConstant {
  enum class Kind : uint8_t {
    kSame,         // the same whatever the length
    kPerPosition,  // one entry a position, the same for every length that has the position
    kNumbers,      // of one shape, but other numbers: the target of a Reshape, for instance
  };
  Kind kind = Kind::kSame;
  // What stands for the longer constant, with its uniform axes cut to 1.
  Tensor value;
  int axis = -1;         // kPerPosition: the axis of the positions in `value`
  uint32_t uniform = 0;  // bit i: axis i has the length, but all entries along it are equal
  bool counts = false;   // kPerPosition: integers 0, 1, 2, ... along the axis
};

// Compares what a constant is at two lengths, `longer` > `shorter`; nullopt when it depends on the
// length in any other way, as a triangular mask does.
std::optional<LengthConstant> CompareLengths(const Tensor& at_shorter, const Tensor& at_longer,
                                             int64_t shorter, int64_t longer);

}  // namespace inferd
