#pragma once

#include <cudnn.h>

#include <memory>

#include "absl/status/statusor.h"
#include "engine/providers/cuda/cuda_context.h"
#include "engine/providers/cuda/cudnn_plan.h"
#include "engine/providers/cuda/launch/attention.h"

namespace inferd::cuda {

// Attention as one of cuDNN's fused engines does it, that keeps no scores: described as the graph
// of products, reductions and elementwise operations which those engines know. Run may be called by
// many threads at once.
class CudnnAttention {
 public:
  // The largest head of a device of this compute capability; 0: there is none.
  static int64_t MostHeadSize(int compute_capability);

  // Of a request without addresses, and whether there will be a bias and a mask. UNIMPLEMENTED
  // where it is nothing for those engines: they take heads of 16-bit elements that are a multiple
  // of 8, causal only from the first position on, and rows may not become zeros where all of their
  // keys are hidden.
  static absl::StatusOr<std::unique_ptr<CudnnAttention>> Make(const AttentionRequest& request,
                                                              bool has_bias, bool has_mask,
                                                              int compute_capability,
                                                              cudnnHandle_t handle);

  absl::Status Run(const AttentionRequest& request, void* workspace, CudaContext& cuda) const;
  int64_t workspace_bytes() const { return plan_->workspace_bytes(); }

 private:
  CudnnAttention() = default;

  // Numbers that the graph reads when the work is given.
  float scale_ = 1;
  float hidden_ = 0;
  float unseen_ = 0;
  bool has_bias_ = false;
  bool has_mask_ = false;
  bool causal_ = false;
  std::unique_ptr<CudnnPlan> plan_;
};

}  // namespace inferd::cuda
