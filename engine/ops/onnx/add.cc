#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/elementwise_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  return DispatchNumeric(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MapBinary<T, T>(context, WrappingAdd<T>);
  });
}

}  // namespace

OpDef Add() { return BinaryElementwise("Add", 14, Compute); }

}  // namespace inferd::ops::onnx
