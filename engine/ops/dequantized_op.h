#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/ops/quantized_value.h"

namespace inferd {

// An operator that is a standard one between dequantization of its inputs and quantization of its
// output. A value type.
struct DequantizedOp {
  absl::string_view op;                // in ai.onnx; reads the node's attributes
  std::vector<QuantizedInput> inputs;  // in the order in which `op` takes them
  int output_scale;
  int output_zero_point;
  bool channels_last = false;  // input 0 and the output are [N,spatial...,C]
};

absl::Status InferDequantized(InferContext& context, const DequantizedOp& definition);
absl::Status ComputeDequantized(KernelContext& context, const DequantizedOp& definition);

}  // namespace inferd
