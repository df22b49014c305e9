#pragma once

#include <cudnn.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/providers/cuda/cuda_context.h"
#include "engine/providers/cuda/cudnn_plan.h"
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

// An execution plan of cuDNN's for a convolution and what follows it. Run may be called by many
// threads at once.
class CudnnConvolution {
 public:
  // With the engine of this rank, as CudnnPlan::Make. UNIMPLEMENTED when no engine takes it.
  static absl::StatusOr<std::unique_ptr<CudnnConvolution>> Make(const ConvolutionSpec& spec,
                                                                int rank, cudnnHandle_t handle);

  absl::Status Run(const ConvolutionOperands& operands, CudaContext& cuda) const;
  int64_t workspace_bytes() const { return plan_->workspace_bytes(); }
  int rank() const { return plan_->rank(); }

 private:
  explicit CudnnConvolution(const ConvolutionSpec& spec) : spec_(spec) {}

  const ConvolutionSpec spec_;
  std::unique_ptr<CudnnPlan> plan_;
};

}  // namespace inferd::cuda
