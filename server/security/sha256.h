#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inferd {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(absl::string_view bytes);

// Of the file behind `descriptor`, from its start to its end; UNAVAILABLE when it cannot be read.
absl::StatusOr<Sha256Digest> Sha256OfFile(int descriptor);

// In a time that does not depend on the digests.
bool EqualDigests(const Sha256Digest& a, const Sha256Digest& b);

// 64 hexadecimal digits, of either case; INVALID_ARGUMENT for anything else.
absl::StatusOr<Sha256Digest> ParseSha256(absl::string_view text);
std::string Sha256Text(const Sha256Digest& digest);

}  // namespace inferd
