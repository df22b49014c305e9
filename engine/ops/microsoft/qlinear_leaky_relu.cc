#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {

OpDef QlinearLeakyRelu() {
  return DequantizedDef({.domain = "com.microsoft",
                         .name = "QLinearLeakyRelu",
                         .min_inputs = 2,
                         .max_inputs = 5,
                         .attributes = {{"alpha", AttributeKind::kFloat}}},
                        UnaryDequantizedOp("LeakyRelu"));
}

}  // namespace inferd::ops::microsoft
