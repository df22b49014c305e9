#include "engine/ops/op_def.h"
#include "engine/ops/random_fill.h"

namespace inferd::ops::onnx {
OpDef RandomUniform() {
  return {.name = "RandomUniform",
          .since = 22,
          .min_inputs = 0,
          .max_inputs = 0,
          .attributes = {{"dtype", AttributeKind::kInt},
                         {"high", AttributeKind::kFloat},
                         {"low", AttributeKind::kFloat},
                         {"seed", AttributeKind::kFloat},
                         {"shape", AttributeKind::kInts, true}},
          .deterministic = false,
          .infer = InferRandomFill,
          .compute = FillUniform};
}

}  // namespace inferd::ops::onnx
