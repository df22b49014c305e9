#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {

OpDef QlinearMul() {
  return DequantizedDef(
      {.domain = "com.microsoft", .name = "QLinearMul", .min_inputs = 2, .max_inputs = 8},
      BinaryDequantizedOp("Mul"));
}

}  // namespace inferd::ops::microsoft
