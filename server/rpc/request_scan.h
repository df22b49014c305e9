#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

namespace google::protobuf::io {
class ZeroCopyInputStream;
}

namespace inferd {

// How much memory a ModelInferRequest will take once parsed: an upper bound, found by walking its
// fields on the wire, since a few bytes there can stand for a large object. INVALID_ARGUMENT for
// bytes that are no message.
absl::StatusOr<int64_t> ScanRequest(google::protobuf::io::ZeroCopyInputStream* stream);

}  // namespace inferd
