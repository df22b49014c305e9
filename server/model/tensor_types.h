#pragma once

#include "absl/strings/string_view.h"
#include "engine/core/dtype.h"
#include "proto/model_config.pb.h"

namespace inferd {

// The protocol's name of an element type: "FP32", "INT64", "BYTES", ... Empty where the protocol
// has none (complex, fp8 and sub-byte types).
absl::string_view ProtocolTypeName(DType dtype);

// The element type of a protocol name; kInvalid for an unknown one.
DType DTypeOfProtocolName(absl::string_view name);

// The same in the model configuration's enum; TYPE_INVALID where there is none.
inference::DataType ConfigDataType(DType dtype);
DType DTypeOfConfig(inference::DataType type);

}  // namespace inferd
