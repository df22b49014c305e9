#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {

OpDef QlinearGlobalAveragePool() {
  return DequantizedDef({.domain = "com.microsoft",
                         .name = "QLinearGlobalAveragePool",
                         .min_inputs = 5,
                         .max_inputs = 5,
                         .attributes = {{"channels_last", AttributeKind::kInt}}},
                        UnaryDequantizedOp("GlobalAveragePool"));
}

}  // namespace inferd::ops::microsoft
