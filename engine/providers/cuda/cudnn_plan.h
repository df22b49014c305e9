#pragma once

#include <cudnn.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/mutex.h"
#include "engine/providers/cuda/cuda_context.h"
#include "engine/providers/cuda/cudnn_graph.h"

namespace inferd::cuda {

// What an operation graph's tensor is for a run, by its id.
struct CudnnOperand {
  int64_t id;
  const void* address;
};

// An execution plan of cuDNN's for an operation graph. Run may be called by many threads; they take
// turns for as long as it takes to give the work to their streams, since cuDNN does not promise
// that plans can be shared.
class CudnnPlan {
 public:
  // Engines that are worth a measurement, at most.
  static constexpr int kMostAlgorithms = 8;

  // With the engine to which cuDNN's heuristics give this rank, or where there is none or it fails,
  // the first that does not. `exact` leaves out those that round floats. UNIMPLEMENTED when none is
  // left.
  static absl::StatusOr<std::unique_ptr<CudnnPlan>> Make(CudnnGraph graph, bool exact, int rank,
                                                         cudnnHandle_t handle);

  absl::Status Run(absl::Span<const CudnnOperand> operands, void* workspace,
                   CudaContext& cuda) const;
  int64_t workspace_bytes() const { return workspace_bytes_; }
  int rank() const { return rank_; }

 private:
  explicit CudnnPlan(CudnnGraph graph) : graph_(std::move(graph)) {}
  bool Take(const CudnnDescriptor& config, cudnnHandle_t handle);

  const CudnnGraph graph_;
  CudnnDescriptor plan_;
  int64_t workspace_bytes_ = 0;
  int rank_ = 0;
  mutable Mutex running_;
};

}  // namespace inferd::cuda
