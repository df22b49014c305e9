#include <cmath>
#include <vector>

#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/binary_f32.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// BatchNormalization with constant statistics: one multiplication and addition per element,
// followed piece by piece by the node's epilogue.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 32768;  // elements
constexpr size_t kLoop = 512;             // least elements of one vector loop
constexpr int64_t kPiece = 4096;          // elements between two steps of the epilogue

// Rows of `cols` elements: with `per_row` one scale and shift a row (row-major planes), which
// repeat after `channels` rows, else one for each column (channels-last; scale and shift then hold
// several rows, so that few channels do not make short loops).
struct Rows {
  int64_t rows;
  int64_t cols;
  int64_t channels;
  bool per_row;
};

class BatchNormKernel : public BoundKernel {
 public:
  BatchNormKernel(Rows rows, std::vector<float> scale, std::vector<float> shift,
                  ElementwiseChain epilogue, bool narrow_input, bool narrow_output)
      : rows_(rows),
        scale_(std::move(scale)),
        shift_(std::move(shift)),
        epilogue_(std::move(epilogue)),
        narrow_input_(narrow_input),
        narrow_output_(narrow_output) {}

  absl::Status Run(const StepContext& context) const override {
    const int64_t step = std::max<int64_t>(1, kPiece / std::max<int64_t>(1, rows_.cols));
    ParallelRanges(context.threads, rows_.cols == 0 ? 0 : rows_.rows,
                   kMinPerThread / std::max<int64_t>(1, rows_.cols) + 1, step,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; row += step) {
                       const int64_t last = std::min(end, row + step);
                       RunRows(context, row, last);
                       epilogue_.Apply(context, row * rows_.cols, last * rows_.cols);
                     }
                   });
    return absl::OkStatus();
  }
  bool holds_input(int i) const override { return i >= 1 && i <= 4; }
  std::string description() const override { return "simd:scale-shift"; }

 private:
  void RunRows(const StepContext& context, int64_t begin, int64_t end) const {
    if (narrow_input_ || narrow_output_) return RunWidened(context, begin, end);
    const float* x = context.inputs[0]->data<float>();
    float* y = context.outputs[0]->mutable_data<float>();
    if (rows_.per_row) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row * rows_.cols;
        const int64_t channel = row % rows_.channels;
        RunScaleShiftF32(x + at, scale_[channel], shift_[channel], y + at, rows_.cols);
      }
      return;
    }
    const int64_t step = static_cast<int64_t>(scale_.size());
    for (int64_t at = begin * rows_.cols; at < end * rows_.cols; at += step) {
      RunScaleShiftF32(x + at, scale_.data(), shift_.data(), y + at,
                       std::min(step, end * rows_.cols - at));
    }
  }

  // In pieces of floats on the stack, none of which crosses a row or the end of scale_.
  void RunWidened(const StepContext& context, int64_t begin, int64_t end) const {
    alignas(64) float from[kLoop];
    alignas(64) float to[kLoop];
    const int64_t period = rows_.per_row ? rows_.cols : static_cast<int64_t>(scale_.size());
    const int64_t last = end * rows_.cols;
    for (int64_t at = begin * rows_.cols; at < last;) {
      const int64_t within = rows_.per_row ? at % period : at % rows_.cols;
      const int64_t count = std::min({static_cast<int64_t>(kLoop), last - at, period - within});
      const float* x = from;
      if (narrow_input_) {
        WidenBfloat16(context.inputs[0]->data<Bfloat16>() + at, from, count);
      } else {
        x = context.inputs[0]->data<float>() + at;
      }
      float* y = narrow_output_ ? to : context.outputs[0]->mutable_data<float>() + at;
      if (rows_.per_row) {
        const int64_t channel = at / period % rows_.channels;
        RunScaleShiftF32(x, scale_[channel], shift_[channel], y, count);
      } else {
        RunScaleShiftF32(x, scale_.data() + within, shift_.data() + within, y, count);
      }
      if (narrow_output_) {
        RoundToBfloat16(y, context.outputs[0]->mutable_data<Bfloat16>() + at, count);
      }
      at += count;
    }
  }

  Rows rows_;
  std::vector<float> scale_;
  std::vector<float> shift_;
  ElementwiseChain epilogue_;
  bool narrow_input_;
  bool narrow_output_;
};

bool Supports(const Graph& graph, const Node& node) {
  if (node.num_op_inputs() != 5 || !HasKnownRank(graph, node, 0) ||
      InputValue(graph, node, 0).type.shape.rank() < 2 || HasOutput(node, 1) ||
      HasOutput(node, 2) || node.attributes.Int("training_mode", 0) != 0) {
    return false;
  }
  if (!MapsFloats(graph, node)) return false;
  for (int i = 1; i < 5; ++i) {
    if (InputDType(graph, node, i) != DType::kFloat32) return false;
    if (ConstantOperand(graph, node, i) == nullptr) return false;
  }
  return ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Shape shape = BoundShape(input);
  const int64_t channels = shape[1];
  const float* parameters[4];
  for (int i = 0; i < 4; ++i) {
    const Tensor* constant = ConstantOperand(graph, node, i + 1);
    if (constant->num_elements() != channels) {
      return absl::InvalidArgumentError(absl::StrCat("BatchNormalization input ", i + 1, " is ",
                                                     constant->TypeString(), " for ", channels,
                                                     " channels"));
    }
    parameters[i] = constant->data<float>();
  }
  const double epsilon = node.attributes.Float("epsilon", 1e-5f);
  std::vector<float> scale(channels);
  std::vector<float> shift(channels);
  for (int64_t c = 0; c < channels; ++c) {
    const double factor = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
    scale[c] = static_cast<float>(factor);
    shift[c] = static_cast<float>(parameters[1][c] - parameters[2][c] * factor);
  }
  const int64_t plane = shape.Product(2, shape.rank());
  const bool channels_inside = input.layout == Layout::kChannelsLast || plane == 1;
  const Rows rows = channels_inside ? Rows{shape[0] * plane, channels, channels, false}
                                    : Rows{shape[0] * channels, plane, channels, true};
  while (channels_inside && channels > 0 && scale.size() < kLoop) {
    scale.insert(scale.end(), scale.begin(), scale.begin() + channels);
    shift.insert(shift.end(), shift.begin(), shift.begin() + channels);
  }
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node));
  return std::make_unique<BatchNormKernel>(
      rows, std::move(scale), std::move(shift), std::move(epilogue),
      input.type.dtype == DType::kBfloat16, OutputDType(graph, node) == DType::kBfloat16);
}

constexpr CpuKernelDef kKernels[] = {{"", "BatchNormalization", Supports, AnyLayout, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> BatchNormKernels() { return kKernels; }

}  // namespace inferd::cpu
