#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/onnx/byte_source.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// Where a tensor's raw_data lies in the model file; `bytes` is -1 when it has none.
struct ByteRange {
  int64_t offset = 0;
  int64_t bytes = -1;
};

// A model file as parsed. The raw_data of the graph's initializers, which is nearly all of a model,
// is not in `proto`: raw_data[i] says where initializer i's lies. A value type.
struct RawModel {
  ::onnx::ModelProto proto;
  std::vector<ByteRange> raw_data;
};

// Parses the model in `source`. INVALID_ARGUMENT when it is no ONNX model or is malformed;
// RESOURCE_EXHAUSTED when it is larger than `max_bytes` or protobuf's 2 GiB.
absl::StatusOr<RawModel> ReadModel(const ByteSource& source, int64_t max_bytes);

}  // namespace inferd
