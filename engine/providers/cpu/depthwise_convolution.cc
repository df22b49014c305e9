#include "engine/providers/cpu/depthwise_convolution.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 1 << 20;  // multiplications

class DepthwiseKernel : public BoundKernel {
 public:
  DepthwiseKernel(const DepthwiseShape& shape, bool has_bias, SumEpilogue epilogue,
                  std::shared_ptr<const PackedWeights> weights, std::string description)
      : shape_(shape),
        has_bias_(has_bias),
        epilogue_(std::move(epilogue)),
        weights_(std::move(weights)),
        zeros_(shape.channels, 0.0f),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    const auto floats = [&](int i) { return context.inputs[i]->data<float>(); };
    const DepthwiseOperands operands = {
        .x = floats(0),
        .weights = static_cast<const float*>(weights_->data()),
        .zeros = zeros_.data(),
        .bias = has_bias_ ? floats(2) : nullptr,
        .add = epilogue_.add >= 0 ? floats(epilogue_.add) : nullptr,
        .low = epilogue_.low,
        .high = epilogue_.high,
        .y = context.outputs[0]->mutable_data<float>(),
    };
    const int64_t row_floats = shape_.out_width * shape_.channels;
    const int64_t row_products = row_floats * shape_.kernel * shape_.kernel;
    ParallelRanges(context.threads, shape_.batch * shape_.out_height,
                   kMinPerThread / row_products + 1, 1, [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; ++row) {
                       DepthwiseRow(shape_, operands, row);
                       epilogue_.rest.Apply(context, row * row_floats, (row + 1) * row_floats);
                     }
                   });
    return absl::OkStatus();
  }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }

 private:
  const DepthwiseShape shape_;
  const bool has_bias_;
  const SumEpilogue epilogue_;
  const std::shared_ptr<const PackedWeights> weights_;
  const std::vector<float> zeros_;
  const std::string description_;
};

}  // namespace

std::optional<DepthwiseShape> DepthwiseShapeOf(const Graph& graph, const Node& node,
                                               const Convolution& conv) {
  const DnnlWindow& window = conv.window;
  if (conv.transposed || conv.source.size() != 4 || conv.groups != conv.source[1] ||
      conv.groups != conv.destination[1]) {
    return std::nullopt;
  }
  const int64_t kernel = window.kernel[0];
  const int64_t stride = window.strides[0];
  const bool fits = window.kernel[1] == kernel && window.strides[1] == stride &&
                    window.gaps[0] == 0 && window.gaps[1] == 0 && (stride == 1 || stride == 2) &&
                    (kernel == 3 || kernel == 5 || kernel == 7);
  if (!fits || !TakesOwnConvolution(graph, node)) return std::nullopt;
  return DepthwiseShape{.kernel = static_cast<int>(kernel),
                        .stride = static_cast<int>(stride),
                        .batch = conv.source[0],
                        .channels = conv.source[1],
                        .height = conv.source[2],
                        .width = conv.source[3],
                        .out_height = conv.destination[2],
                        .out_width = conv.destination[3],
                        .pad_top = window.pads_begin[0],
                        .pad_left = window.pads_begin[1]};
}

double DepthwiseCost(const DepthwiseShape& shape, const Node& node) {
  const double direct = static_cast<double>(shape.batch * shape.channels * shape.out_height *
                                            shape.out_width * shape.kernel * shape.kernel);
  const bool bounds_only =
      std::all_of(node.epilogue.begin(), node.epilogue.end(), [](const EpilogueStep& step) {
        return step.op->name == "Relu" || step.op->name == "Clip" || step.op->name == "HardSwish";
      });
  const bool slower = bounds_only && shape.kernel < 5 && shape.channels < 160;
  return slower ? 1.1 * direct : 0.9 * direct;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareDepthwise(const Graph& graph, const Node& node,
                                                              const PrepareContext& context,
                                                              const DepthwiseShape& shape) {
  if (!ElementwiseChain::SupportsEpilogue(graph, node)) {
    return absl::UnimplementedError("depthwise: the epilogue has no own kernel");
  }
  ASSIGN_OR_RETURN(SumEpilogue epilogue, SumEpilogue::Plan(graph, node));
  const Tensor& weights = *graph.constant(node.inputs[1]);
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  const int64_t taps = int64_t{shape.kernel} * shape.kernel;
  const auto pack = [&](void* to) {
    for (int64_t c = 0; c < shape.channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        static_cast<float*>(to)[tap * shape.channels + c] = weights.data<float>()[c * taps + tap];
      }
    }
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(auto packed,
                   store.GetOrPack(weights, "depthwise taps first", weights.byte_size(), pack));
  return std::make_unique<DepthwiseKernel>(shape, HasInput(node, 2), std::move(epilogue),
                                           std::move(packed),
                                           absl::StrCat("simd:depthwise", EpilogueText(node)));
}

}  // namespace inferd::cpu
