#include "engine/ops/op_def.h"
#include "engine/ops/random_fill.h"

namespace inferd::ops::onnx {
OpDef RandomNormal() {
  return {.name = "RandomNormal",
          .since = 22,
          .min_inputs = 0,
          .max_inputs = 0,
          .attributes = {{"dtype", AttributeKind::kInt},
                         {"mean", AttributeKind::kFloat},
                         {"scale", AttributeKind::kFloat},
                         {"seed", AttributeKind::kFloat},
                         {"shape", AttributeKind::kInts, true}},
          .deterministic = false,
          .infer = InferRandomFill,
          .compute = FillNormal};
}

}  // namespace inferd::ops::onnx
