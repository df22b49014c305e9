#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/join.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::internal {
namespace {

enum Input { kWeights, kBias, kScale, kShift, kFirst };

std::vector<SymbolicShape> PartShapes(const InferContext& context) {
  std::vector<SymbolicShape> parts;
  for (int i = kFirst; i < context.num_inputs(); ++i) parts.push_back(context.shape(i));
  return parts;
}

absl::Status Infer(InferContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i) && i != kBias) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kFloat32}));
  }
  ASSIGN_OR_RETURN(SymbolicShape y, JoinedShape(PartShapes(context), 1));
  const SymbolicShape& weights = context.shape(kWeights);
  if (y.rank() < 3 || weights.rank() != y.rank()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "weights have rank ", weights.rank(), ", the parts ", y.rank(), ", expected 3 or more"));
  }
  if (y[1].known() && weights[1].known() && y[1].value != weights[1].value) {
    return absl::InvalidArgumentError(
        absl::StrCat("the parts have ", y[1].value, " channels, the weights ", weights[1].value));
  }
  for (const Input input : {kScale, kShift}) {
    const SymbolicShape& numbers = context.shape(input);
    if (!numbers.IsConcrete() || !y[1].known()) continue;
    if (const int64_t count = numbers.ToShape().num_elements(); count != y[1].value) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", input, " has ", count, " numbers, expected ", y[1].value));
    }
  }
  y[1] = weights[0];
  context.SetOutput(0, DType::kFloat32, std::move(y));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  std::vector<const Tensor*> parts;
  int64_t channels = 0;
  for (int i = kFirst; i < context.num_inputs(); ++i) {
    parts.push_back(&context.input(i));
    channels += parts.back()->dim(1);
  }
  const Tensor& weights = context.input(kWeights);
  const int64_t outputs = weights.dim(0);
  const float low = context.attributes().Float("low", -std::numeric_limits<float>::infinity());
  Shape shape = parts[0]->shape();
  const int64_t plane = shape.Product(2, shape.rank());
  shape[1] = outputs;
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, shape));
  std::vector<double> sums(outputs * plane);
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t o = 0; o < outputs; ++o) {
      const float bias = context.has_input(kBias) ? context.input(kBias).data<float>()[o] : 0;
      std::fill_n(sums.begin() + o * plane, plane, bias);
    }
    int64_t c = 0;
    for (const Tensor* part : parts) {
      for (int64_t i = 0; i < part->dim(1); ++i, ++c) {
        const float scale = context.input(kScale).data<float>()[c];
        const float shift = context.input(kShift).data<float>()[c];
        const float* x = part->data<float>() + (n * part->dim(1) + i) * plane;
        for (int64_t p = 0; p < plane; ++p) {
          const double in = std::max(low, x[p] * scale + shift);
          for (int64_t o = 0; o < outputs; ++o) {
            sums[o * plane + p] += in * weights.data<float>()[o * channels + c];
          }
        }
      }
    }
    std::copy(sums.begin(), sums.end(), y->mutable_data<float>() + n * outputs * plane);
  }
  return absl::OkStatus();
}

}  // namespace

// A pointwise convolution of joined channels that are scaled, shifted and bounded on their way in:
// Y = B + W max(low, scale Concat(X1, ...) + shift). W is [M,C,1,...], B [M], X are [N,Ci,...];
// scale and shift hold a number for each of C channels. Made by FuseIntoPointwise only.
OpDef JoinedConv() {
  return {.domain = "inferd",
          .name = "JoinedConv",
          .min_inputs = 5,
          .max_inputs = kVariadic,
          .attributes = {{"low", AttributeKind::kFloat}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::internal
