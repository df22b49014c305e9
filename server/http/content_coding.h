#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

// How a body is compressed on the wire. "deflate" is zlib's format, as HTTP means it.
enum class ContentCoding : uint8_t { kIdentity, kGzip, kDeflate };

// The name in headers.
absl::string_view ContentCodingName(ContentCoding coding);

// The coding that a Content-Encoding header names. UNIMPLEMENTED for any other, and for several.
absl::StatusOr<ContentCoding> ParseContentEncoding(absl::string_view header);

// What an Accept-Encoding header asks for: the coding of the highest quality, gzip before deflate;
// identity where it names neither.
ContentCoding ChooseCoding(absl::string_view header);

// Decompresses a whole body. Work and memory end at `max_bytes`, however far the body would expand.
// OUT_OF_RANGE for more than that, INVALID_ARGUMENT for bytes that are not in the coding, end too
// early or go on behind its end, RESOURCE_EXHAUSTED from `charge`, to which the result's memory is
// added; it may be null.
absl::StatusOr<std::string> Decompress(absl::string_view body, ContentCoding coding,
                                       int64_t max_bytes, InflightCharge* charge);

// Compresses quickly rather than well. INTERNAL when zlib has no memory.
absl::StatusOr<std::string> Compress(absl::string_view body, ContentCoding coding);

}  // namespace inferd
