#include "engine/ops/op_def.h"
#include "engine/ops/random_fill.h"

namespace inferd::ops::onnx {
OpDef RandomUniformLike() {
  return {.name = "RandomUniformLike",
          .since = 22,
          .min_inputs = 1,
          .max_inputs = 1,
          .attributes = {{"dtype", AttributeKind::kInt},
                         {"high", AttributeKind::kFloat},
                         {"low", AttributeKind::kFloat},
                         {"seed", AttributeKind::kFloat}},
          .deterministic = false,
          .infer = InferRandomFill,
          .compute = FillUniform};
}

}  // namespace inferd::ops::onnx
