#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/tensor.h"

namespace inferd {

// Reads numpy's .npy format (versions 1 to 3): numbers and bools in either byte order and either
// memory order. INVALID_ARGUMENT naming the file for strings, objects, records, wrong sizes and
// files that are none. Format:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
absl::StatusOr<Tensor> ReadNpy(const std::string& path);

// The same for a file's bytes; messages do not name the file.
absl::StatusOr<Tensor> ParseNpy(absl::string_view bytes);

// Writes a row-major tensor. Types that numpy does not have become one that holds their values
// (bfloat16: float32; 4 and 2 bits: 8 bits) or plain bytes (8-bit floats, fp4).
absl::Status WriteNpy(const std::string& path, const Tensor& tensor);

// The bytes that WriteNpy writes. INVALID_ARGUMENT for strings, sequences, optionals and maps.
absl::StatusOr<std::string> FormatNpy(const Tensor& tensor);

}  // namespace inferd
