#include "engine/ops/op_def.h"
#include "engine/ops/random_fill.h"

namespace inferd::ops::onnx {
OpDef RandomNormalLike() {
  return {.name = "RandomNormalLike",
          .since = 22,
          .min_inputs = 1,
          .max_inputs = 1,
          .attributes = {{"dtype", AttributeKind::kInt},
                         {"mean", AttributeKind::kFloat},
                         {"scale", AttributeKind::kFloat},
                         {"seed", AttributeKind::kFloat}},
          .deterministic = false,
          .infer = InferRandomFill,
          .compute = FillNormal};
}

}  // namespace inferd::ops::onnx
