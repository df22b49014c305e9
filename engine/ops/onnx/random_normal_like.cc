#include "engine/ops/op_def.h"
#include "engine/ops/random_fill.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const double scale = context.attributes().Float("scale", 1);
  const double mean = context.attributes().Float("mean", 0);
  return FillRandom(context,
                    [=](RandomGenerator& generator) { return mean + scale * generator.Normal(); });
}

}  // namespace

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
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
