#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/core/dtype.h"
#include "server/rest/json_value.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

// Appends the elements of a tensor given as JSON to `raw`, as they lie on the wire. `data` is an
// array, flat or nested as `shape` says, or a single value where the shape has no dimensions.
// Floats may be NaN, Infinity and -Infinity; BYTES are strings, BOOL true and false.
// INVALID_ARGUMENT for an element of another type or out of range, for other counts than the
// shape's and for FP16 and BF16, which have no JSON form; RESOURCE_EXHAUSTED from `charge`, to
// which the memory is added. Messages do not say which tensor it is. `shape` is valid.
absl::Status DecodeJsonData(const JsonValue& data, DType dtype, absl::Span<const int64_t> shape,
                            InflightCharge* charge, std::string* raw);

// Appends one BYTES element as it lies on the wire.
void AppendTextElement(absl::string_view text, std::string* raw);

// Appends a flat JSON array of the elements that lie in `raw`. INVALID_ARGUMENT for FP16, BF16 and
// for BYTES that are no UTF-8; RESOURCE_EXHAUSTED when `out` gets longer than `max_bytes`. `raw` is
// what EncodeTensor() wrote.
absl::Status EncodeJsonData(absl::string_view raw, DType dtype, int64_t max_bytes,
                            std::string* out);

// The same for a single element, without brackets.
absl::Status EncodeJsonElement(absl::string_view raw, DType dtype, int64_t max_bytes,
                               std::string* out);

}  // namespace inferd
