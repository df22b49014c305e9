#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {

OpDef QlinearSigmoid() {
  return DequantizedDef(
      {.domain = "com.microsoft", .name = "QLinearSigmoid", .min_inputs = 2, .max_inputs = 5},
      UnaryDequantizedOp("Sigmoid"));
}

}  // namespace inferd::ops::microsoft
