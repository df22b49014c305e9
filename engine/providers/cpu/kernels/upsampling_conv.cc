#include <algorithm>
#include <utility>
#include <vector>

#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/product_f32.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// ConvTranspose whose windows do not overlap (strides equal to the kernel, no padding), as decoders
// upsample with: in channels-last order, each row of input pixels times the weights of one kernel
// row is one row of the output. oneDNN takes fifty times as long for few channels.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 1 << 18;  // multiplications
// Of bfloat16, which is multiplied as floats here: oneDNN wins with more of them.
constexpr int64_t kMostNarrowOutputs = 16;

bool AllAre(const std::vector<int64_t>& values, int64_t value) {
  return std::all_of(values.begin(), values.end(), [=](int64_t v) { return v == value; });
}

bool Supports(const Graph& graph, const Node& node) {
  const Tensor* weights = ConstantOperand(graph, node, 1);
  if (weights == nullptr || weights->rank() != 4 || weights->dtype() != DType::kFloat32 ||
      weights->num_elements() == 0 || !MapsFloats(graph, node) ||
      InputValue(graph, node, 0).type.shape.rank() != 4) {
    return false;
  }
  if (InputDType(graph, node, 0) == DType::kBfloat16 && weights->dim(1) > kMostNarrowOutputs) {
    return false;
  }
  if (HasOperand(node, 2)) {
    const Tensor* bias = ConstantOperand(graph, node, 2);
    if (bias == nullptr || bias->num_elements() != weights->dim(1)) return false;
  }
  const Attributes& a = node.attributes;
  const std::string auto_pad = a.String("auto_pad", "NOTSET");
  const std::vector<int64_t> kernel = {weights->dim(2), weights->dim(3)};
  return a.Int("group", 1) == 1 && a.Ints("strides") == kernel && AllAre(a.Ints("dilations"), 1) &&
         AllAre(a.Ints("pads"), 0) && AllAre(a.Ints("output_padding"), 0) &&
         !a.Has("output_shape") && (auto_pad == "NOTSET" || auto_pad == "VALID") &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kChannelsLast; }

// The weights [in, out, rows, cols] of kernel row `row` as a matrix [in, cols * out].
PackedMatrix KernelRow(const Tensor& weights, const Tensor* bias, int64_t row) {
  const int64_t in = weights.dim(0);
  const int64_t out = weights.dim(1);
  const int64_t cols = weights.dim(3);
  const Shape::Dims strides = weights.shape().RowMajorStrides();
  std::vector<float> values(in * cols * out);
  std::vector<float> biases(cols * out, 0.0f);
  for (int64_t i = 0; i < in; ++i) {
    for (int64_t x = 0; x < cols; ++x) {
      for (int64_t o = 0; o < out; ++o) {
        values[(i * cols + x) * out + o] =
            weights.data<float>()[i * strides[0] + o * strides[1] + row * strides[2] + x];
      }
    }
  }
  for (size_t j = 0; bias != nullptr && j < biases.size(); ++j) {
    biases[j] = bias->data<float>()[static_cast<int64_t>(j) % out];
  }
  return PackedMatrix(values.data(), biases.data(), in, cols * out);
}

class UpsamplingKernel : public BoundKernel {
 public:
  UpsamplingKernel(std::vector<PackedMatrix> kernel_rows, const Shape& input, bool narrow_input,
                   bool narrow_output, int threads, ElementwiseChain epilogue)
      : kernel_rows_(std::move(kernel_rows)),
        rows_(input[0] * input[2]),
        pixels_(input[3]),
        narrow_input_(narrow_input),
        narrow_output_(narrow_output),
        threads_(std::max(1, threads)),
        epilogue_(std::move(epilogue)) {}

  absl::Status Run(const StepContext& context) const override {
    const int64_t height = static_cast<int64_t>(kernel_rows_.size());
    const int64_t work = std::max<int64_t>(1, height * line() * kernel_rows_[0].depth);
    ParallelParts(std::min(threads_, context.threads), rows_, kMinPerThread / work + 1, 1,
                  [&](int part, int64_t begin, int64_t end) {
                    float* scratch = static_cast<float*>(context.scratch) + part * ScratchFloats();
                    for (int64_t row = begin; row < end; ++row) {
                      RunRow(context, row, scratch);
                      epilogue_.Apply(context, row * height * line(), (row + 1) * height * line());
                    }
                  });
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override {
    return threads_ * ScratchFloats() * static_cast<int64_t>(sizeof(float));
  }
  bool holds_input(int i) const override { return i == 1 || i == 2; }
  std::string description() const override { return "simd:upsampling"; }

 private:
  int64_t line() const { return pixels_ * kernel_rows_[0].cols; }  // of the output
  int64_t line_of_input() const { return pixels_ * kernel_rows_[0].depth; }
  // Rows as floats where they are stored as bfloat16, a multiple of a cache line.
  int64_t ScratchFloats() const {
    const int64_t floats = (narrow_input_ ? line_of_input() : 0) + (narrow_output_ ? line() : 0);
    return (floats + 15) / 16 * 16;
  }

  // The output lines of one row of the input.
  void RunRow(const StepContext& context, int64_t row, float* scratch) const {
    const Tensor& x = *context.inputs[0];
    Tensor& y = *context.outputs[0];
    const float* from = scratch;
    if (narrow_input_) {
      WidenBfloat16(x.data<Bfloat16>() + row * line_of_input(), scratch, line_of_input());
      scratch += line_of_input();
    } else {
      from = x.data<float>() + row * line_of_input();
    }
    const int64_t height = static_cast<int64_t>(kernel_rows_.size());
    for (int64_t k = 0; k < height; ++k) {
      const int64_t at = (row * height + k) * line();
      ProductF32(from, pixels_, kernel_rows_[k],
                 narrow_output_ ? scratch : y.mutable_data<float>() + at);
      if (narrow_output_) RoundToBfloat16(scratch, y.mutable_data<Bfloat16>() + at, line());
    }
  }

  std::vector<PackedMatrix> kernel_rows_;
  int64_t rows_;    // of input pixels
  int64_t pixels_;  // of an input row
  bool narrow_input_;
  bool narrow_output_;
  int threads_;
  ElementwiseChain epilogue_;
};

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Value& input = InputValue(graph, node, 0);
  const Tensor& weights = *ConstantOperand(graph, node, 1);
  const Shape shape = BoundShape(input);
  if (shape[1] != weights.dim(0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ConvTranspose weights are ", weights.TypeString(), " for ", shape[1], " channels"));
  }
  const bool one_channel_each = shape[1] == 1 && weights.dim(1) == 1;
  if (input.layout != Layout::kChannelsLast && !one_channel_each) {
    return absl::InternalError("ConvTranspose was prepared in row-major order");
  }
  std::vector<PackedMatrix> rows;
  for (int64_t row = 0; row < weights.dim(2); ++row) {
    rows.push_back(KernelRow(weights, ConstantOperand(graph, node, 2), row));
  }
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node));
  return std::make_unique<UpsamplingKernel>(
      std::move(rows), shape, InputDType(graph, node, 0) == DType::kBfloat16,
      OutputDType(graph, node) == DType::kBfloat16, context.threads, std::move(epilogue));
}

constexpr CpuKernelDef kKernels[] = {{"", "ConvTranspose", Supports, Layouts, Prepare, 5}};

}  // namespace

absl::Span<const CpuKernelDef> UpsamplingConvKernels() { return kKernels; }

}  // namespace inferd::cpu
