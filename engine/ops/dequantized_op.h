#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/graph/op_def.h"
#include "engine/ops/quantized_value.h"

namespace inferd {

// An operator that is a standard one between dequantization of its inputs and quantization of its
// output. With the node's attribute channels_last, input 0 and the output are [N,spatial...,C]. A
// value type.
struct DequantizedOp {
  absl::string_view op;                // in ai.onnx; reads the node's attributes
  std::vector<QuantizedInput> inputs;  // in the order in which `op` takes them
  int output_scale;
  int output_zero_point;
};

absl::Status InferDequantized(InferContext& context, const DequantizedOp& definition);
absl::Status ComputeDequantized(KernelContext& context, const DequantizedOp& definition);
// `def` with this shape rule and kernel.
OpDef DequantizedDef(OpDef def, DequantizedOp definition);

// A standard operator over X, X_scale, X_zero_point, Y_scale, Y_zero_point, and one over A and B,
// each with its scale and zero point, then C_scale and C_zero_point.
DequantizedOp UnaryDequantizedOp(absl::string_view op);
DequantizedOp BinaryDequantizedOp(absl::string_view op);

}  // namespace inferd
