#include "engine/ops/op_def.h"
#include "engine/ops/pooling.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
void PoolPlane(const Window& window, const std::vector<double>& counts, const T* x,
               std::vector<AccumulatorOf<T>>* sums, T* y) {
  using Acc = AccumulatorOf<T>;
  const int64_t stride = window.strides[window.rank() - 1];
  std::fill(sums->begin(), sums->end(), Acc(0));
  TapWalk walk(window);
  for (Tap tap; walk.Next(&tap);) {
    ForEachRow(window, tap, [&](int64_t from, int64_t to, int64_t row) {
      Acc* sum = sums->data() + to;
      for (int64_t j = 0; j < row; ++j) sum[j] += static_cast<Acc>(x[from + j * stride]);
    });
  }
  for (size_t i = 0; i < sums->size(); ++i) {
    y[i] = static_cast<T>(static_cast<Acc>((*sums)[i] / counts[i]));
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const Window window, ResolvePool(context.attributes(), x.shape()));
  const Shape shape = PoolOutput(x.shape(), window);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  if (y->num_elements() == 0) return absl::OkStatus();
  const std::vector<double> counts =
      TapCounts(window, context.attributes().Int("count_include_pad", 0) != 0);
  const int64_t planes = shape[0] * shape[1];
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<AccumulatorOf<T>> sums(window.output_elements());
    for (int64_t p = 0; p < planes; ++p) {
      PoolPlane(window, counts, x.data<T>() + p * window.input_elements(), &sums,
                y->mutable_data<T>() + p * window.output_elements());
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef AveragePool() {
  return {.name = "AveragePool",
          .since = 22,
          .attributes = {{"auto_pad", AttributeKind::kString},
                         {"ceil_mode", AttributeKind::kInt},
                         {"count_include_pad", AttributeKind::kInt},
                         {"dilations", AttributeKind::kInts},
                         {"kernel_shape", AttributeKind::kInts, true},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = InferPool,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
