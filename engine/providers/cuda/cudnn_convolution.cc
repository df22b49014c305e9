#include "engine/providers/cuda/cudnn_convolution.h"

#include <utility>

#include "engine/core/status_macros.h"

namespace inferd::cuda {
namespace {

// The tensors of the graph, by the ids under which addresses are given.
enum Id : int64_t { kX = 1, kW, kY, kBias, kResidual };

std::vector<int64_t> ChannelsLastStrides(const std::vector<int64_t>& dims) {
  std::vector<int64_t> strides(dims.size());
  int64_t stride = dims[1];
  strides[1] = 1;
  for (size_t d = dims.size() - 1; d > 1; --d) {
    strides[d] = stride;
    stride *= dims[d];
  }
  strides[0] = stride;
  return strides;
}

absl::StatusOr<CudnnGraph> Describe(const ConvolutionSpec& spec, cudnnHandle_t handle) {
  CudnnGraphBuilder builder;
  const cudnnDataType_t type = CudnnDataType(spec.type);
  const auto add = [&](int64_t id, cudnnDataType_t of, const std::vector<int64_t>& dims) {
    return builder.Add({id, of, dims, ChannelsLastStrides(dims)});
  };
  int left = spec.bias + spec.residual + spec.relu;
  // The last result is y; those before it are floats that only live between two operations.
  const auto result = [&] {
    return left-- == 0 ? add(kY, type, spec.y) : add(0, CUDNN_DATA_FLOAT, spec.y);
  };
  const int x = add(kX, type, spec.x);
  const int w = add(kW, type, spec.w);
  int present = result();
  builder.Convolve(x, w, present, {spec.strides, spec.dilations, spec.pads_begin, spec.pads_end});
  const auto pointwise = [&](cudnnPointwiseMode_t mode, int operand) {
    const int before = std::exchange(present, result());
    builder.Pointwise(mode, before, operand, present);
  };
  if (spec.residual) pointwise(CUDNN_POINTWISE_ADD, add(kResidual, type, spec.y));
  if (spec.bias) {
    std::vector<int64_t> dims(spec.y.size(), 1);
    dims[1] = spec.y[1];
    pointwise(CUDNN_POINTWISE_ADD, add(kBias, type, dims));
  }
  if (spec.relu) pointwise(CUDNN_POINTWISE_RELU_FWD, -1);
  return builder.Build(handle);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CudnnConvolution>> CudnnConvolution::Make(
    const ConvolutionSpec& spec, int rank, cudnnHandle_t handle) {
  ASSIGN_OR_RETURN(CudnnGraph graph, Describe(spec, handle));
  const bool exact = spec.type == Type::kFloat32 && !spec.tf32;
  std::unique_ptr<CudnnConvolution> convolution(new CudnnConvolution(spec));
  ASSIGN_OR_RETURN(convolution->plan_, CudnnPlan::Make(std::move(graph), exact, rank, handle));
  return convolution;
}

absl::Status CudnnConvolution::Run(const ConvolutionOperands& operands, CudaContext& cuda) const {
  std::vector<CudnnOperand> all = {{kX, operands.x}, {kW, operands.w}, {kY, operands.y}};
  if (spec_.bias) all.push_back({kBias, operands.bias});
  if (spec_.residual) all.push_back({kResidual, operands.residual});
  return plan_->Run(all, operands.workspace, cuda);
}

}  // namespace inferd::cuda
