#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<int64_t> ReadSize(const Attributes& attributes) {
  const int64_t size = attributes.Int("size", 0);
  if (size >= 1) return size;
  return absl::InvalidArgumentError(absl::StrCat("attribute size is ", size));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(ReadSize(context.attributes()).status());
  if (context.shape(0).has_rank() && context.shape(0).rank() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has shape ", context.shape(0).ToString(), ", expected [N,C,...]"));
  }
  return InferSameAsFirst(context);
}

template <typename T>
void Normalize(const Tensor& x, const Attributes& attributes, int64_t size, T* y) {
  const double scale = attributes.Float("alpha", 1e-4f) / static_cast<double>(size);
  const double beta = attributes.Float("beta", 0.75f);
  const double bias = attributes.Float("bias", 1);
  const int64_t channels = x.dim(1);
  const int64_t plane = x.shape().Product(2, x.rank());
  for (int64_t n = 0; n < x.dim(0); ++n) {
    const T* image = x.data<T>() + n * channels * plane;
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t begin = std::max<int64_t>(c - std::min((size - 1) / 2, channels), 0);
      const int64_t end = std::min(c + std::min(size / 2, channels) + 1, channels);
      for (int64_t i = 0; i < plane; ++i) {
        double sum = 0;
        for (int64_t k = begin; k < end; ++k) {
          const double value = static_cast<double>(image[k * plane + i]);
          sum += value * value;
        }
        y[(n * channels + c) * plane + i] = static_cast<T>(
            static_cast<double>(image[c * plane + i]) / std::pow(bias + scale * sum, beta));
      }
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const int64_t size, ReadSize(context.attributes()));
  if (x.rank() < 2) return absl::InvalidArgumentError("X has no channels");
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    Normalize(x, context.attributes(), size, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Lrn() {
  return {.name = "LRN",
          .since = 13,
          .attributes = {{"alpha", AttributeKind::kFloat},
                         {"beta", AttributeKind::kFloat},
                         {"bias", AttributeKind::kFloat},
                         {"size", AttributeKind::kInt, true}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
