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
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
