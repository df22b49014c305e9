#include <cmath>

#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckChannelParameters(context, 1, 5));
  context.SetOutput(0, context.input_type(0));
  context.SetOutput(1, context.input_type(3));
  context.SetOutput(2, context.input_type(4));
  return absl::OkStatus();
}

struct Statistics {
  std::vector<double> mean;
  std::vector<double> variance;
};

// Mean and variance of each channel over the whole batch.
template <typename T>
Statistics OfBatch(const Tensor& x, int64_t plane) {
  const int64_t channels = x.dim(1);
  const double count = static_cast<double>(x.dim(0) * plane);
  Statistics statistics{std::vector<double>(channels), std::vector<double>(channels)};
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    statistics.mean[i / plane % channels] += static_cast<double>(x.data<T>()[i]) / count;
  }
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    const int64_t c = i / plane % channels;
    const double distance = static_cast<double>(x.data<T>()[i]) - statistics.mean[c];
    statistics.variance[c] += distance * distance / count;
  }
  return statistics;
}

absl::Status SetRunning(KernelContext& context, int i, const std::vector<double>& before,
                        const std::vector<double>& batch) {
  if (!context.wants_output(i)) return absl::OkStatus();
  const Tensor& old = context.input(i + 2);
  ASSIGN_OR_RETURN(Tensor * output, context.Output(i, old.dtype(), old.shape()));
  const double momentum = context.attributes().Float("momentum", 0.9f);
  return DispatchFloat(old.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t c = 0; c < before.size(); ++c) {
      output->mutable_data<T>()[c] =
          static_cast<T>(before[c] * momentum + batch[c] * (1 - momentum));
    }
    return absl::OkStatus();
  });
}

template <typename T>
absl::Status Normalize(KernelContext& context, Statistics running, Tensor* y) {
  const Tensor& x = context.input(0);
  const int64_t channels = x.dim(1);
  const int64_t plane = x.shape().Product(2, x.rank());
  ASSIGN_OR_RETURN(const std::vector<double> scale, ToDoubles(context.input(1)));
  ASSIGN_OR_RETURN(const std::vector<double> bias, ToDoubles(context.input(2)));
  const bool training = context.attributes().Int("training_mode", 0) != 0;
  const Statistics used = training ? OfBatch<T>(x, plane) : running;
  RETURN_IF_ERROR(SetRunning(context, 1, running.mean, used.mean));
  RETURN_IF_ERROR(SetRunning(context, 2, running.variance, used.variance));
  const double epsilon = context.attributes().Float("epsilon", 1e-5f);
  for (int64_t p = 0; p < x.dim(0) * channels; ++p) {
    const int64_t c = p % channels;
    const double factor = scale[c] / std::sqrt(used.variance[c] + epsilon);
    const T* from = x.data<T>() + p * plane;
    T* to = y->mutable_data<T>() + p * plane;
    for (int64_t i = 0; i < plane; ++i) {
      to[i] = static_cast<T>((static_cast<double>(from[i]) - used.mean[c]) * factor + bias[c]);
    }
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckChannelParameters(context, 1, 5));
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  Statistics running;
  ASSIGN_OR_RETURN(running.mean, ToDoubles(context.input(3)));
  ASSIGN_OR_RETURN(running.variance, ToDoubles(context.input(4)));
  return DispatchFloat(x.dtype(), [&](auto tag) {
    return Normalize<typename decltype(tag)::type>(context, std::move(running), y);
  });
}

}  // namespace

OpDef BatchNormalization() {
  return {.name = "BatchNormalization",
          .since = 15,
          .min_inputs = 5,
          .max_inputs = 5,
          .max_outputs = 3,
          .attributes = {{"epsilon", AttributeKind::kFloat},
                         {"momentum", AttributeKind::kFloat},
                         {"training_mode", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
