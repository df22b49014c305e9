#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {

OpDef QlinearAdd() {
  return DequantizedDef(
      {.domain = "com.microsoft", .name = "QLinearAdd", .min_inputs = 2, .max_inputs = 8},
      BinaryDequantizedOp("Add"));
}

}  // namespace inferd::ops::microsoft
