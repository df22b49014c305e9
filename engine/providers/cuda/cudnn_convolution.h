#pragma once

#include <cudnn.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/mutex.h"
#include "engine/providers/cuda/cuda_context.h"
#include "engine/providers/cuda/cudnn_descriptor.h"
#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// y = relu(conv(x, w) + bias + residual), all of one float type, summed as floats. Dimensions are
// [N,C,spatial...] of two or three spatial ones; x, y and the residual lie channels-last, w as
// [K,spatial...,C / groups].
struct ConvolutionSpec {
  Type type = Type::kFloat32;
  std::vector<int64_t> x;
  std::vector<int64_t> w;  // [K,C / groups,spatial...]
  std::vector<int64_t> y;
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;
  std::vector<int64_t> pads_begin;
  std::vector<int64_t> pads_end;
  bool bias = false;  // [1,K,1,...]
  bool residual = false;
  bool relu = false;
  bool tf32 = false;  // floats may be rounded to TF32
};

struct ConvolutionOperands {
  const void* x = nullptr;
  const void* w = nullptr;
  const void* bias = nullptr;
  const void* residual = nullptr;
  void* y = nullptr;
  void* workspace = nullptr;
};

// An execution plan of cuDNN for a convolution and what follows it. Run may be called by many
// threads; they take turns for as long as it takes to give the work to their streams, since cuDNN
// does not promise that plans can be shared.
class CudnnConvolution {
 public:
  // UNIMPLEMENTED when no engine of cuDNN takes it.
  static absl::StatusOr<std::unique_ptr<CudnnConvolution>> Make(const ConvolutionSpec& spec,
                                                                cudnnHandle_t handle);

  absl::Status Run(const ConvolutionOperands& operands, CudaContext& cuda) const;
  int64_t workspace_bytes() const { return workspace_bytes_; }

 private:
  CudnnConvolution() = default;
  absl::Status Init(const ConvolutionSpec& spec, cudnnHandle_t handle);

  ConvolutionSpec spec_;
  std::vector<CudnnDescriptor> parts_;  // what the graph refers to
  CudnnDescriptor graph_;
  CudnnDescriptor plan_;
  int64_t workspace_bytes_ = 0;
  mutable Mutex running_;
};

// Strides, for the library, of [N,C,spatial...] that lies channels-last.
std::vector<int64_t> ChannelsLastStrides(const std::vector<int64_t>& dims);

}  // namespace inferd::cuda
