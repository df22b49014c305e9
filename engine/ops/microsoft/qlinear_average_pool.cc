#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {

OpDef QlinearAveragePool() {
  return DequantizedDef({.domain = "com.microsoft",
                         .name = "QLinearAveragePool",
                         .min_inputs = 2,
                         .max_inputs = 5,
                         .attributes = {{"auto_pad", AttributeKind::kString},
                                        {"ceil_mode", AttributeKind::kInt},
                                        {"channels_last", AttributeKind::kInt},
                                        {"count_include_pad", AttributeKind::kInt},
                                        {"kernel_shape", AttributeKind::kInts, true},
                                        {"pads", AttributeKind::kInts},
                                        {"strides", AttributeKind::kInts}}},
                        UnaryDequantizedOp("AveragePool"));
}

}  // namespace inferd::ops::microsoft
