#include "engine/providers/cuda/cudnn_graph.h"

#include <utility>

#include "engine/core/status_macros.h"
#include "engine/providers/device.h"

namespace inferd::cuda {
namespace {

// What the engines want to know of addresses; values and weights lie better.
constexpr int64_t kAlignmentBytes = 16;
static_assert(kDeviceValueAlignment % kAlignmentBytes == 0);

}  // namespace

cudnnDataType_t CudnnDataType(Type type) {
  switch (type) {
    case Type::kFloat16:
      return CUDNN_DATA_HALF;
    case Type::kBfloat16:
      return CUDNN_DATA_BFLOAT16;
    case Type::kBool:
      return CUDNN_DATA_BOOLEAN;
    default:
      return CUDNN_DATA_FLOAT;
  }
}

bool CudnnGraphBuilder::Finish(CudnnDescriptor* descriptor) {
  if (status_.ok()) status_ = descriptor->Finalize();
  return status_.ok();
}

int CudnnGraphBuilder::Add(const CudnnTensor& tensor) {
  CudnnDescriptor descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const bool is_virtual = tensor.id == 0;
  descriptor.Set(CUDNN_ATTR_TENSOR_UNIQUE_ID, is_virtual ? unnamed_++ : tensor.id);
  descriptor.Set(CUDNN_ATTR_TENSOR_DATA_TYPE, tensor.type);
  descriptor.Set(CUDNN_ATTR_TENSOR_DIMENSIONS, absl::MakeConstSpan(tensor.dims));
  descriptor.Set(CUDNN_ATTR_TENSOR_STRIDES, absl::MakeConstSpan(tensor.strides));
  descriptor.Set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignmentBytes);
  if (is_virtual) descriptor.Set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  if (tensor.in_host_memory) descriptor.Set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, true);
  Finish(&descriptor);
  tensors_.push_back(std::move(descriptor));
  return static_cast<int>(tensors_.size()) - 1;
}

void CudnnGraphBuilder::AddOperation(CudnnDescriptor operation, CudnnDescriptor description) {
  Finish(&operation);
  operations_.push_back(std::move(operation));
  descriptions_.push_back(std::move(description));
}

void CudnnGraphBuilder::Convolve(int x, int w, int y, const CudnnWindow& window) {
  CudnnDescriptor description(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  description.Set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  description.Set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  description.Set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<int64_t>(window.strides.size()));
  description.Set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, absl::MakeConstSpan(window.pads_begin));
  description.Set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, absl::MakeConstSpan(window.pads_end));
  description.Set(CUDNN_ATTR_CONVOLUTION_DILATIONS, absl::MakeConstSpan(window.dilations));
  description.Set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, absl::MakeConstSpan(window.strides));
  if (!Finish(&description)) return;
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, At(w));
  operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, At(y));
  operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, description);
  operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f);
  operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
  AddOperation(std::move(operation), std::move(description));
}

void CudnnGraphBuilder::Multiply(int a, int b, int c) {
  CudnnDescriptor description(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
  description.Set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT);
  if (!Finish(&description)) return;
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, At(a));
  operation.Set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, At(b));
  operation.Set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, At(c));
  operation.Set(CUDNN_ATTR_OPERATION_MATMUL_DESC, description);
  AddOperation(std::move(operation), std::move(description));
}

void CudnnGraphBuilder::Pointwise(cudnnPointwiseMode_t mode, int x, int b, int y,
                                  cudnnDataType_t compute, int t) {
  CudnnDescriptor description(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  description.Set(CUDNN_ATTR_POINTWISE_MODE, mode);
  description.Set(CUDNN_ATTR_POINTWISE_MATH_PREC, compute);
  if (!Finish(&description)) return;
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, description);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, At(x));
  if (b >= 0) operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, At(b));
  if (t >= 0) operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, At(t));
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, At(y));
  AddOperation(std::move(operation), std::move(description));
}

void CudnnGraphBuilder::Index(int64_t axis, int x, int y) {
  CudnnDescriptor description(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  description.Set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_GEN_INDEX);
  description.Set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_INT32);
  description.Set(CUDNN_ATTR_POINTWISE_AXIS, axis);
  if (!Finish(&description)) return;
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, description);
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, At(y));
  AddOperation(std::move(operation), std::move(description));
}

void CudnnGraphBuilder::Reduce(cudnnReduceTensorOp_t op, int x, int y) {
  CudnnDescriptor description(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
  description.Set(CUDNN_ATTR_REDUCTION_OPERATOR, op);
  description.Set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  if (!Finish(&description)) return;
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
  operation.Set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, At(x));
  operation.Set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, At(y));
  operation.Set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, description);
  AddOperation(std::move(operation), std::move(description));
}

absl::StatusOr<CudnnGraph> CudnnGraphBuilder::Build(cudnnHandle_t handle) {
  RETURN_IF_ERROR(status_);
  std::vector<cudnnBackendDescriptor_t> operations;
  for (const CudnnDescriptor& operation : operations_) operations.push_back(operation.get());
  CudnnGraph built;
  built.graph = CudnnDescriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  built.graph.SetDescriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
  built.graph.Set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
  RETURN_IF_ERROR(built.graph.Finalize());
  for (auto* made : {&tensors_, &descriptions_, &operations_}) {
    for (CudnnDescriptor& part : *made) built.parts.push_back(std::move(part));
  }
  return built;
}

}  // namespace inferd::cuda
