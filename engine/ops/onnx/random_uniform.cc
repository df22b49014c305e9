#include "engine/ops/op_def.h"
#include "engine/ops/random_fill.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const double low = context.attributes().Float("low", 0);
  const double high = context.attributes().Float("high", 1);
  return FillRandom(context, [=](RandomGenerator& generator) {
    return low + (high - low) * generator.Uniform();
  });
}

}  // namespace

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
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
