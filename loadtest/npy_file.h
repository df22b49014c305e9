#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inferd::loadtest {

// The array of a NumPy .npy file, ready for the wire. A value type.
struct NpyArray {
  std::string datatype;  // the protocol's name, such as "FP32" or "BYTES"
  std::vector<int64_t> shape;
  std::string raw;  // little-endian, row-major; BYTES elements with their length prefixes
};

// Reads the contents of a .npy file, versions 1 to 3, row-major and little-endian, of booleans,
// integers, floats or fixed-length bytes ("S"). Errors say what was expected and got.
absl::StatusOr<NpyArray> ParseNpy(absl::string_view contents);

// Reads the file at `path`; errors name it.
absl::StatusOr<NpyArray> ReadNpyFile(const std::string& path);

}  // namespace inferd::loadtest
