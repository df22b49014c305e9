#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "config/model_options.h"
#include "engine/engine.h"

namespace inferd {

// How far a model batches, and why, as one sentence.
struct BatchDecision {
  int64_t max_batch_size = 0;
  std::string reason;
};

// Why the signature alone rules batching out: an input or output without a free dimension 0. Empty
// when it does not.
std::string BatchObstacle(absl::Span<const TensorInfo> inputs,
                          absl::Span<const TensorInfo> outputs);

// True when the verdict of Model::CheckBatching matters to DecideBatching.
bool NeedsVerdict(const ModelOptions& options, absl::Span<const TensorInfo> inputs,
                  absl::Span<const TensorInfo> outputs);

// The configured size where there is one, which may insist against the verdict but not against the
// signature (INVALID_ARGUMENT); else kDerivedMaxBatchSize where batching is safe.
absl::StatusOr<BatchDecision> DecideBatching(const ModelOptions& options,
                                             absl::Span<const TensorInfo> inputs,
                                             absl::Span<const TensorInfo> outputs,
                                             const BatchVerdict& verdict);

// Checks the configured inputs and outputs against the model's and narrows variable dimensions of
// `inputs` and `outputs` to those configured. Where the config names outputs, only these stay.
// INVALID_ARGUMENT naming the tensor, what the model has and what the config says.
absl::Status ApplyConfiguredSignature(const inference::ModelConfig& config, int64_t max_batch_size,
                                      std::vector<TensorInfo>* inputs,
                                      std::vector<TensorInfo>* outputs);

// The given configuration with everything that was derived filled in. `options.max_batch_size` is
// the one in force, `devices` the numbers of those that the model is on.
inference::ModelConfig CompleteConfig(const ModelOptions& options, absl::string_view name,
                                      int core_slots, absl::Span<const int> devices,
                                      absl::Span<const TensorInfo> inputs,
                                      absl::Span<const TensorInfo> outputs);

}  // namespace inferd
