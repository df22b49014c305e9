#include "engine/providers/cuda/cudnn_convolution.h"

#include <algorithm>
#include <utility>

#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {
namespace {

// More is not worth what another algorithm gains.
constexpr int64_t kMostWorkspaceBytes = int64_t{512} << 20;
// What the engines want to know of addresses; values and weights lie better.
constexpr int64_t kAlignmentBytes = 16;
static_assert(kDeviceValueAlignment % kAlignmentBytes == 0);

// The tensors of the graph, by the ids under which addresses are given.
enum Id : int64_t { kX = 1, kW, kY, kBias, kResidual, kVirtual };

cudnnDataType_t DataType(Type type) {
  switch (type) {
    case Type::kFloat16:
      return CUDNN_DATA_HALF;
    case Type::kBfloat16:
      return CUDNN_DATA_BFLOAT16;
    default:
      return CUDNN_DATA_FLOAT;
  }
}

// A finalized tensor; a virtual one only lives between two operations.
absl::StatusOr<CudnnDescriptor> TensorOf(int64_t id, cudnnDataType_t type,
                                         const std::vector<int64_t>& dims, bool is_virtual) {
  CudnnDescriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.Set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  tensor.Set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  tensor.Set(CUDNN_ATTR_TENSOR_DIMENSIONS, absl::MakeConstSpan(dims));
  tensor.Set(CUDNN_ATTR_TENSOR_STRIDES, absl::MakeConstSpan(ChannelsLastStrides(dims)));
  tensor.Set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignmentBytes);
  if (is_virtual) tensor.Set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  RETURN_IF_ERROR(tensor.Finalize());
  return tensor;
}

// Makes the operations of a graph; what they refer to goes to `parts`. Used once, by one thread.
class GraphBuilder {
 public:
  GraphBuilder(const ConvolutionSpec& spec, cudnnHandle_t handle,
               std::vector<CudnnDescriptor>* parts)
      : spec_(spec), handle_(handle), type_(DataType(spec.type)), parts_(*parts) {}

  absl::StatusOr<CudnnDescriptor> Build() {
    const int after = spec_.bias + spec_.residual + spec_.relu;
    RETURN_IF_ERROR(AddConvolution(after == 0));
    int left = after;
    if (spec_.residual) {
      RETURN_IF_ERROR(AddPointwise(CUDNN_POINTWISE_ADD, kResidual, spec_.y, --left == 0));
    }
    if (spec_.bias) {
      std::vector<int64_t> dims(spec_.y.size(), 1);
      dims[1] = spec_.y[1];
      RETURN_IF_ERROR(AddPointwise(CUDNN_POINTWISE_ADD, kBias, dims, --left == 0));
    }
    if (spec_.relu) {
      RETURN_IF_ERROR(AddPointwise(CUDNN_POINTWISE_RELU_FWD, 0, {}, --left == 0));
    }
    CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    std::vector<cudnnBackendDescriptor_t> operations;
    for (const CudnnDescriptor& operation : operations_) operations.push_back(operation.get());
    graph.SetDescriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
    graph.Set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle_);
    RETURN_IF_ERROR(graph.Finalize());
    for (auto* made : {&tensors_, &operations_}) {
      for (CudnnDescriptor& part : *made) parts_.push_back(std::move(part));
    }
    return graph;
  }

 private:
  // Becomes the present result: y if it is the last, else a virtual tensor of floats.
  absl::Status AddResult(bool last) {
    const int64_t id = last ? int64_t{kY} : kVirtual + static_cast<int64_t>(tensors_.size());
    ASSIGN_OR_RETURN(CudnnDescriptor tensor,
                     TensorOf(id, last ? type_ : CUDNN_DATA_FLOAT, spec_.y, !last));
    tensors_.push_back(std::move(tensor));
    return absl::OkStatus();
  }

  absl::Status AddConvolution(bool last) {
    ASSIGN_OR_RETURN(CudnnDescriptor x, TensorOf(kX, type_, spec_.x, false));
    ASSIGN_OR_RETURN(CudnnDescriptor w, TensorOf(kW, type_, spec_.w, false));
    CudnnDescriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    convolution.Set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    convolution.Set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    convolution.Set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS,
                    static_cast<int64_t>(spec_.strides.size()));
    convolution.Set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, absl::MakeConstSpan(spec_.pads_begin));
    convolution.Set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, absl::MakeConstSpan(spec_.pads_end));
    convolution.Set(CUDNN_ATTR_CONVOLUTION_DILATIONS, absl::MakeConstSpan(spec_.dilations));
    convolution.Set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, absl::MakeConstSpan(spec_.strides));
    RETURN_IF_ERROR(convolution.Finalize());
    RETURN_IF_ERROR(AddResult(last));
    CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, tensors_.back());
    operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution);
    operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f);
    operation.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
    for (CudnnDescriptor* part : {&x, &w, &convolution}) parts_.push_back(std::move(*part));
    return AddOperation(std::move(operation));
  }

  // Of the present result and, where it has an id, another tensor.
  absl::Status AddPointwise(cudnnPointwiseMode_t mode, int64_t operand,
                            const std::vector<int64_t>& dims, bool last) {
    CudnnDescriptor pointwise(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    pointwise.Set(CUDNN_ATTR_POINTWISE_MODE, mode);
    pointwise.Set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    RETURN_IF_ERROR(pointwise.Finalize());
    const size_t before = tensors_.size() - 1;
    CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise);
    operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensors_[before]);
    if (operand != 0) {
      ASSIGN_OR_RETURN(CudnnDescriptor tensor, TensorOf(operand, type_, dims, false));
      operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensor);
      parts_.push_back(std::move(tensor));
    }
    RETURN_IF_ERROR(AddResult(last));
    operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensors_.back());
    parts_.push_back(std::move(pointwise));
    return AddOperation(std::move(operation));
  }

  absl::Status AddOperation(CudnnDescriptor operation) {
    RETURN_IF_ERROR(operation.Finalize());
    operations_.push_back(std::move(operation));
    return absl::OkStatus();
  }

  const ConvolutionSpec& spec_;
  const cudnnHandle_t handle_;
  const cudnnDataType_t type_;
  std::vector<CudnnDescriptor>& parts_;
  std::vector<CudnnDescriptor> tensors_;  // results, the present one last
  std::vector<CudnnDescriptor> operations_;
};

// The engine configurations that a heuristic suggests, best first.
std::vector<CudnnDescriptor> Suggestions(const CudnnDescriptor& graph,
                                         cudnnBackendHeurMode_t mode) {
  std::vector<CudnnDescriptor> configs;
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.Set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristic.Set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (!heuristic.Finalize().ok()) return configs;
  int64_t count = 0;
  if (cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                               CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count,
                               nullptr) != CUDNN_STATUS_SUCCESS) {
    return configs;
  }
  std::vector<cudnnBackendDescriptor_t> found;
  for (int64_t i = 0; i < count; ++i) {
    configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (!configs.back().status().ok()) return {};
    found.push_back(configs.back().get());
  }
  int64_t got = 0;
  if (cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                               CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &got,
                               found.data()) != CUDNN_STATUS_SUCCESS) {
    return {};
  }
  configs.resize(std::min(got, count));
  return configs;
}

// Tensor cores take floats as TF32 alone; other engines may convert them to something narrower.
bool RoundsFloats(const CudnnDescriptor& config) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  int64_t count = 0;
  if (cudnnBackendGetAttribute(config.get(), CUDNN_ATTR_ENGINECFG_ENGINE,
                               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count,
                               &raw) != CUDNN_STATUS_SUCCESS) {
    return true;
  }
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  if (cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                               CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count,
                               notes) != CUDNN_STATUS_SUCCESS) {
    return true;
  }
  const int64_t known = std::min<int64_t>(count, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  return std::any_of(notes, notes + known, [](cudnnBackendNumericalNote_t note) {
    return note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
           note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
  });
}

int64_t WorkspaceOf(const CudnnDescriptor& plan) {
  int64_t bytes = 0;
  int64_t count = 0;
  if (cudnnBackendGetAttribute(plan.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                               CUDNN_TYPE_INT64, 1, &count, &bytes) != CUDNN_STATUS_SUCCESS) {
    return kMostWorkspaceBytes + 1;
  }
  return bytes;
}

}  // namespace

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

absl::StatusOr<std::unique_ptr<CudnnConvolution>> CudnnConvolution::Make(
    const ConvolutionSpec& spec, cudnnHandle_t handle) {
  std::unique_ptr<CudnnConvolution> convolution(new CudnnConvolution());
  RETURN_IF_ERROR(convolution->Init(spec, handle));
  return convolution;
}

absl::Status CudnnConvolution::Init(const ConvolutionSpec& spec, cudnnHandle_t handle) {
  spec_ = spec;
  ASSIGN_OR_RETURN(graph_, GraphBuilder(spec_, handle, &parts_).Build());
  const bool exact = spec_.type == Type::kFloat32 && !spec_.tf32;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const CudnnDescriptor& config : Suggestions(graph_, mode)) {
      if (exact && RoundsFloats(config)) continue;
      CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.Set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle);
      plan.Set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
      if (!plan.Finalize().ok()) continue;
      workspace_bytes_ = WorkspaceOf(plan);
      if (workspace_bytes_ > kMostWorkspaceBytes) continue;
      plan_ = std::move(plan);
      return absl::OkStatus();
    }
  }
  return absl::UnimplementedError("cuDNN has no engine for the convolution");
}

absl::Status CudnnConvolution::Run(const ConvolutionOperands& operands, CudaContext& cuda) const {
  ASSIGN_OR_RETURN(const cudnnHandle_t handle, cuda.Cudnn());
  std::vector<int64_t> ids = {kX, kW, kY};
  std::vector<void*> addresses = {const_cast<void*>(operands.x), const_cast<void*>(operands.w),
                                  operands.y};
  const auto add = [&](int64_t id, const void* address) {
    ids.push_back(id);
    addresses.push_back(const_cast<void*>(address));
  };
  if (spec_.bias) add(kBias, operands.bias);
  if (spec_.residual) add(kResidual, operands.residual);
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.Set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, absl::MakeConstSpan(ids));
  pack.SetAddresses(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, addresses);
  pack.SetAddresses(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {&operands.workspace, 1});
  RETURN_IF_ERROR(pack.Finalize());
  MutexLock lock(&running_);
  return ToStatus(cudnnBackendExecute(handle, plan_.get(), pack.get()), "a convolution");
}

}  // namespace inferd::cuda
