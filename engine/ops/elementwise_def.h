#pragma once

#include "engine/ops/op_def.h"

namespace inferd {

// Definitions shared by the elementwise operators without attributes.

using ComputeFunction = absl::Status (*)(KernelContext& context);

// One input, an output of its type and shape.
inline OpDef UnaryElementwise(absl::string_view name, int since, ComputeFunction compute) {
  return {.name = name,
          .since = since,
          .op_class = OpClass::kElementwise,
          .infer = InferSameAsFirst,
          .compute = compute};
}

// Two inputs of one type, broadcast; the output has their type.
inline OpDef BinaryElementwise(absl::string_view name, int since, ComputeFunction compute) {
  return {.name = name,
          .since = since,
          .min_inputs = 2,
          .max_inputs = 2,
          .op_class = OpClass::kElementwise,
          .infer = InferBroadcast,
          .compute = compute};
}

// Two inputs of one type, broadcast; the output is bool.
inline OpDef Comparison(absl::string_view name, int since, ComputeFunction compute) {
  OpDef def = BinaryElementwise(name, since, compute);
  def.infer = InferBroadcastBool;
  return def;
}

// One or more inputs of one type, broadcast; the output has their type.
inline OpDef VariadicElementwise(absl::string_view name, int since, ComputeFunction compute) {
  OpDef def = BinaryElementwise(name, since, compute);
  def.min_inputs = 1;
  def.max_inputs = kVariadic;
  return def;
}

}  // namespace inferd
