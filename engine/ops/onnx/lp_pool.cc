#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/ops/op_def.h"
#include "engine/ops/pooling.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
void PoolPlane(const Window& window, double p, const T* x, std::vector<double>* sums, T* y) {
  const int64_t stride = window.strides[window.rank() - 1];
  std::fill(sums->begin(), sums->end(), 0.0);
  TapWalk walk(window);
  for (Tap tap; walk.Next(&tap);) {
    ForEachRow(window, tap, [&](int64_t from, int64_t to, int64_t row) {
      for (int64_t j = 0; j < row; ++j) {
        (*sums)[to + j] += std::pow(std::abs(static_cast<double>(x[from + j * stride])), p);
      }
    });
  }
  for (size_t i = 0; i < sums->size(); ++i) {
    y[i] = static_cast<T>(static_cast<AccumulatorOf<T>>(std::pow((*sums)[i], 1 / p)));
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const int64_t p = context.attributes().Int("p", 2);
  if (p < 1) return absl::InvalidArgumentError(absl::StrCat("attribute p is ", p));
  ASSIGN_OR_RETURN(const Window window, ResolvePool(context.attributes(), x.shape()));
  const Shape shape = PoolOutput(x.shape(), window);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  if (y->num_elements() == 0) return absl::OkStatus();
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<double> sums(window.output_elements());
    for (int64_t i = 0; i < shape[0] * shape[1]; ++i) {
      PoolPlane(window, static_cast<double>(p), x.data<T>() + i * window.input_elements(), &sums,
                y->mutable_data<T>() + i * window.output_elements());
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef LpPool() {
  return {.name = "LpPool",
          .since = 22,
          .attributes = {{"auto_pad", AttributeKind::kString},
                         {"ceil_mode", AttributeKind::kInt},
                         {"dilations", AttributeKind::kInts},
                         {"kernel_shape", AttributeKind::kInts, true},
                         {"p", AttributeKind::kInt},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = InferPool,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
