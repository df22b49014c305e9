// The functions of cuDNN that the provider calls, by the library's documentation: descriptors keep
// the attributes they are given, plans do the operations of their graph one after the other.
#include <cudnn.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <vector>

#include "tests/support/cuda_emulation/cudnn_operations.h"
#include "tests/support/cuda_emulation/stream_clock.h"

namespace {

using inferd::cuda_emulation::CudnnTensor;

struct Descriptor {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<int, std::vector<char>> attributes;
  int engine = 0;                     // of an engine, its configuration and a plan
  const Descriptor* graph = nullptr;  // of a configuration and a plan
};

// What the heuristics suggest, in their order. The last one rounds floats.
struct Engine {
  double milliseconds;
  int64_t workspace_bytes;
  bool rounds;
};
constexpr Engine kEngines[] = {{1, 0, false}, {0.25, 4096, false}, {0.125, 0, true}};

Descriptor& As(cudnnBackendDescriptor_t descriptor) {
  return *static_cast<Descriptor*>(descriptor);
}

size_t SizeOf(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
      return sizeof(bool);
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    default:
      return 4;
  }
}

template <typename T>
std::vector<T> ValuesOf(const Descriptor& descriptor, int name) {
  const auto it = descriptor.attributes.find(name);
  if (it == descriptor.attributes.end()) return {};
  std::vector<T> values(it->second.size() / sizeof(T));
  std::memcpy(values.data(), it->second.data(), values.size() * sizeof(T));
  return values;
}
template <typename T>
T ValueOf(const Descriptor& descriptor, int name, T otherwise = {}) {
  const std::vector<T> values = ValuesOf<T>(descriptor, name);
  return values.empty() ? otherwise : values[0];
}
const Descriptor* PartOf(const Descriptor& descriptor, int name) {
  return static_cast<const Descriptor*>(ValueOf<void*>(descriptor, name));
}
bool IsVirtual(const Descriptor& tensor) {
  const std::vector<char> flag = ValuesOf<char>(tensor, CUDNN_ATTR_TENSOR_IS_VIRTUAL);
  return !flag.empty() && flag[0] != 0;
}

// One run of a plan: tensors by their ids, memory for those that are virtual.
class Run {
 public:
  Run(const std::vector<int64_t>& ids, const std::vector<void*>& addresses) {
    for (size_t i = 0; i < ids.size() && i < addresses.size(); ++i) given_[ids[i]] = addresses[i];
  }

  bool Do(const Descriptor& operation) {
    switch (operation.type) {
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
        return Convolution(operation);
      case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR:
        Multiply(*At(operation, CUDNN_ATTR_OPERATION_MATMUL_ADESC),
                 *At(operation, CUDNN_ATTR_OPERATION_MATMUL_BDESC),
                 *At(operation, CUDNN_ATTR_OPERATION_MATMUL_CDESC));
        return good_;
      case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR: {
        const Descriptor* how = PartOf(operation, CUDNN_ATTR_OPERATION_REDUCTION_DESC);
        Reduce(ValueOf<cudnnReduceTensorOp_t>(*how, CUDNN_ATTR_REDUCTION_OPERATOR),
               *At(operation, CUDNN_ATTR_OPERATION_REDUCTION_XDESC),
               *At(operation, CUDNN_ATTR_OPERATION_REDUCTION_YDESC));
        return good_;
      }
      case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: {
        const Descriptor* how = PartOf(operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
        return Pointwise(ValueOf<cudnnPointwiseMode_t>(*how, CUDNN_ATTR_POINTWISE_MODE),
                         ValueOf<int64_t>(*how, CUDNN_ATTR_POINTWISE_AXIS),
                         *At(operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC),
                         At(operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC),
                         At(operation, CUDNN_ATTR_OPERATION_POINTWISE_TDESC),
                         *At(operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC)) &&
               good_;
      }
      default:
        return false;
    }
  }

 private:
  bool Convolution(const Descriptor& operation) {
    const Descriptor* how = PartOf(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    Convolve(*At(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X),
             *At(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W),
             *At(operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y),
             ValuesOf<int64_t>(*how, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
             ValuesOf<int64_t>(*how, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
             ValuesOf<int64_t>(*how, CUDNN_ATTR_CONVOLUTION_DILATIONS));
    return good_;
  }

  // Null where the operation has none of this name.
  const CudnnTensor* At(const Descriptor& operation, int name) {
    const Descriptor* part = PartOf(operation, name);
    if (part == nullptr) return nullptr;
    const auto id = ValueOf<int64_t>(*part, CUDNN_ATTR_TENSOR_UNIQUE_ID);
    const auto found = tensors_.find(id);
    if (found != tensors_.end()) return &found->second;
    CudnnTensor& tensor = tensors_[id];
    tensor.type = ValueOf<cudnnDataType_t>(*part, CUDNN_ATTR_TENSOR_DATA_TYPE);
    tensor.dims = ValuesOf<int64_t>(*part, CUDNN_ATTR_TENSOR_DIMENSIONS);
    tensor.strides = ValuesOf<int64_t>(*part, CUDNN_ATTR_TENSOR_STRIDES);
    int64_t bytes = inferd::cuda_emulation::BytesOf(tensor.type);
    for (size_t d = 0; d < tensor.dims.size(); ++d) {
      bytes +=
          (tensor.dims[d] - 1) * tensor.strides[d] * inferd::cuda_emulation::BytesOf(tensor.type);
    }
    const auto given = given_.find(id);
    if (!IsVirtual(*part) && given != given_.end()) {
      tensor.data = given->second;
      const bool by_value = !ValuesOf<char>(*part, CUDNN_ATTR_TENSOR_IS_BY_VALUE).empty();
      const auto alignment = ValueOf<int64_t>(*part, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 1);
      if (!by_value && reinterpret_cast<uintptr_t>(tensor.data) % alignment != 0) good_ = false;
    } else {
      if (!IsVirtual(*part)) good_ = false;
      memory_.emplace_back(bytes);
      tensor.data = memory_.back().data();
    }
    return &tensor;
  }

  std::map<int64_t, void*> given_;
  std::map<int64_t, CudnnTensor> tensors_;
  std::vector<std::vector<char>> memory_;
  bool good_ = true;
};

// As the flash-attention engines: 16-bit operands, heads of a multiple of 8, no more than 256.
bool TakesProduct(const Descriptor& operation) {
  const Descriptor* a = PartOf(operation, CUDNN_ATTR_OPERATION_MATMUL_ADESC);
  const Descriptor* b = PartOf(operation, CUDNN_ATTR_OPERATION_MATMUL_BDESC);
  const auto type = ValueOf<cudnnDataType_t>(*a, CUDNN_ATTR_TENSOR_DATA_TYPE);
  if (type != CUDNN_DATA_HALF && type != CUDNN_DATA_BFLOAT16) return false;
  if (type != ValueOf<cudnnDataType_t>(*b, CUDNN_ATTR_TENSOR_DATA_TYPE)) return false;
  const auto a_dims = ValuesOf<int64_t>(*a, CUDNN_ATTR_TENSOR_DIMENSIONS);
  const auto b_dims = ValuesOf<int64_t>(*b, CUDNN_ATTR_TENSOR_DIMENSIONS);
  const int64_t head = IsVirtual(*a) ? b_dims[3] : a_dims[3];
  return a_dims.size() == 4 && a_dims[3] == b_dims[2] && head % 8 == 0 && head <= 256;
}

bool TakesGraph(const Descriptor& graph) {
  const auto operations = ValuesOf<void*>(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS);
  return !operations.empty() &&
         std::all_of(operations.begin(), operations.end(), [](const void* operation) {
           const auto& own = *static_cast<const Descriptor*>(operation);
           return own.finalized &&
                  (own.type != CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR || TakesProduct(own));
         });
}

// Of each element, which of the descriptors given it becomes.
cudnnStatus_t Suggest(const Descriptor& heuristic, int64_t requested, int64_t* count,
                      void* values) {
  const bool fallback = ValueOf<cudnnBackendHeurMode_t>(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE) ==
                        CUDNN_HEUR_MODE_FALLBACK;
  *count = fallback ? 1 : static_cast<int64_t>(std::size(kEngines));
  for (int64_t i = 0; i < std::min(*count, requested); ++i) {
    Descriptor& config = As(static_cast<cudnnBackendDescriptor_t*>(values)[i]);
    config.engine = static_cast<int>(i);
    config.graph = PartOf(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    config.finalized = true;
  }
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return CUDNN_VERSION; }
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = reinterpret_cast<cudnnHandle_t>(handle);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t) { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }
const char* cudnnGetErrorString(cudnnStatus_t) { return "an emulated error"; }

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* descriptor) {
  *descriptor = new Descriptor{type};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  delete &As(descriptor);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void* values) {
  Descriptor& own = As(descriptor);
  if (own.finalized) return CUDNN_STATUS_NOT_INITIALIZED;
  const auto* bytes = static_cast<const char*>(values);
  own.attributes[name].assign(bytes, bytes + count * SizeOf(type));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  Descriptor& own = As(descriptor);
  if (own.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR && !TakesGraph(own)) {
    return CUDNN_STATUS_NOT_SUPPORTED;
  }
  if (own.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    const Descriptor* config = PartOf(own, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    if (config == nullptr || !config->finalized) return CUDNN_STATUS_BAD_PARAM;
    own.engine = config->engine;
    own.graph = config->graph;
  }
  own.finalized = true;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(const cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t, int64_t requested,
                                       int64_t* count, void* values) {
  const Descriptor& own = As(descriptor);
  switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
      return Suggest(own, requested, count, values);
    case CUDNN_ATTR_ENGINECFG_ENGINE:
      As(*static_cast<cudnnBackendDescriptor_t*>(values)).engine = own.engine;
      *count = 1;
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
      *count = kEngines[own.engine].rounds ? 1 : 0;
      if (*count == 1) {
        *static_cast<cudnnBackendNumericalNote_t*>(values) = CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
      }
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      *count = 1;
      *static_cast<int64_t*>(values) = kEngines[own.engine].workspace_bytes;
      return CUDNN_STATUS_SUCCESS;
    default:
      return CUDNN_STATUS_NOT_SUPPORTED;
  }
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  const Descriptor& own = As(plan);
  const Engine& engine = kEngines[own.engine];
  void* workspace = ValueOf<void*>(As(pack), CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
  if (engine.workspace_bytes > 0 && workspace == nullptr) return CUDNN_STATUS_BAD_PARAM;
  if (engine.workspace_bytes > 0) std::memset(workspace, 0x5a, engine.workspace_bytes);
  inferd::cuda_emulation::PassTime(engine.milliseconds);
  Run run(ValuesOf<int64_t>(As(pack), CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS),
          ValuesOf<void*>(As(pack), CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS));
  for (const void* operation : ValuesOf<void*>(*own.graph, CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    if (!run.Do(*static_cast<const Descriptor*>(operation))) {
      return CUDNN_STATUS_EXECUTION_FAILED;
    }
  }
  return CUDNN_STATUS_SUCCESS;
}

}  // extern "C"
