#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "config/model_options.h"
#include "engine/engine.h"
#include "proto/model_config.pb.h"
#include "server/metrics/model_statistics.h"
#include "server/scheduler/infer_request.h"

namespace inferd {

class Batcher;
class Clock;
class MemoryBudget;
class MetricsRegistry;
class ModelMetrics;

// What every served model shares; all outlive the models.
struct ServingContext {
  CoreSlots* slots = nullptr;
  Clock* clock = nullptr;
  MetricsRegistry* metrics = nullptr;
  MemoryBudget* memory = nullptr;  // null: without a cap
  // Models are made in a thread of low priority: what they run for that stays there, instead of on
  // a slot that requests wait for.
  bool in_background = false;
};

// One loaded version of a model: the compiled model, its effective configuration, its batcher and
// its statistics. Made by ModelRepository, shared by the handles that requests hold. Thread-safe.
class ServedModel {
 public:
  // Checks `options` against the signature of `model`, settles whether and how far it batches, and
  // warms it up on a core slot. `load_duration` is what compiling took.
  static absl::StatusOr<std::shared_ptr<ServedModel>> Create(std::string name, int64_t version,
                                                             std::unique_ptr<Model> model,
                                                             const ModelOptions& options,
                                                             const ServingContext& context,
                                                             absl::Duration load_duration);
  ~ServedModel();
  ServedModel(const ServedModel&) = delete;
  ServedModel& operator=(const ServedModel&) = delete;

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  // The version in decimal, as replies carry it.
  const std::string& version_text() const { return version_text_; }
  const Model& model() const { return *model_; }

  // The tensors that clients see, in the order of InferRequest::inputs and of the outputs given to
  // its completion. Outputs that the protocol cannot carry (sequences, maps) are left out.
  // Variable dimensions that the config fixes are shown fixed.
  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  // The index in inputs() or outputs(); -1 for an unknown name.
  int InputIndex(absl::string_view name) const;
  int OutputIndex(absl::string_view name) const;
  // Names of the classes of outputs()[output], by index: what its label file or the model says; may
  // be empty or short.
  const std::vector<std::string>& labels(int output) const;
  // The shape that metadata shows: -1 for a variable dimension, the batch dimension included.
  // An unknown rank gives an empty shape.
  static std::vector<int64_t> MetadataShape(const TensorInfo& tensor);

  // Largest number of rows of one request and of one batch; 0 = dimension 0 is no batch.
  int64_t max_batch_size() const { return options_.max_batch_size; }
  // Why it batches or does not, as one sentence.
  const std::string& batching_reason() const { return batching_reason_; }
  // Given and derived settings together.
  const inference::ModelConfig& config() const { return config_; }

  // Checks and queues `request`. Never blocks for work; completes it exactly once, inline with an
  // error where it cannot be queued: INVALID_ARGUMENT (inputs), RESOURCE_EXHAUSTED (queue full),
  // DEADLINE_EXCEEDED, CANCELLED, UNAVAILABLE (draining).
  void Infer(std::unique_ptr<InferRequest> request);

  // Counts a request for this model that failed before Infer().
  void CountRefusal(const absl::Status& status, absl::Duration duration);
  ModelStatistics Statistics() const;
  MemoryUse memory_use() const { return model_->memory_use(); }

  // Makes the plans that requests for `other` had made, the most used first, so that none for this
  // model waits for them. Does nothing where they take other inputs.
  void PrepareLike(const ServedModel& other);

  // Keeps what makes the next start quick, see Model::SaveCache, and logs where it cannot.
  void SaveCache() const;

  // Measures kernels as Model::Tune does, says in the log what it changed and keeps it for the next
  // start. Called by one thread.
  void Tune(CoreSlots& slots, const std::function<bool()>& stop);

  // Brings the gauges of memory up to date.
  void RefreshMetrics();

  // From now on Infer() answers UNAVAILABLE; what is queued still runs.
  void Drain();

 private:
  struct Parts;
  explicit ServedModel(Parts parts);
  absl::Status CheckRequest(InferRequest& request) const;

  const std::string name_;
  const int64_t version_;
  const std::string version_text_;
  const std::shared_ptr<Model> model_;
  const ModelOptions options_;
  const std::string batching_reason_;
  const inference::ModelConfig config_;
  const std::vector<TensorInfo> inputs_;
  const std::vector<TensorInfo> outputs_;
  const bool has_narrowed_inputs_;
  const absl::flat_hash_map<std::string, int> input_indices_;
  const absl::flat_hash_map<std::string, int> output_indices_;
  const std::shared_ptr<ModelMetrics> metrics_;
  const std::shared_ptr<Batcher> batcher_;
};

}  // namespace inferd
