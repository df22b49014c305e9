#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/model_options.h"
#include "engine/core/mutex.h"
#include "engine/engine.h"
#include "server/metrics/model_metrics.h"
#include "server/scheduler/batch_assembly.h"
#include "server/scheduler/clock.h"
#include "server/scheduler/infer_request.h"
#include "server/scheduler/latency_profile.h"
#include "server/scheduler/request_queue.h"

namespace inferd {

// A model's queue and the forming of its batches. Each waiting request is covered by a task at the
// core slots; the batch is formed only when the task gets its slot, so a request runs at once while
// a slot is idle, and batches grow for nothing while none is. Every request is completed exactly
// once. Held by the served model and by its tasks under way. Thread-safe.
class Batcher : public std::enable_shared_from_this<Batcher> {
 public:
  // What the batcher works with; the pointers outlive it.
  struct Parts {
    std::string label;  // "model/version", for messages
    std::shared_ptr<Model> model;
    std::vector<int> output_indices;  // of the model's outputs, those given to requests
    CoreSlots* slots = nullptr;
    Clock* clock = nullptr;
    std::shared_ptr<ModelMetrics> metrics;
    // Whether requests whose sequences differ in length share batches, by Model::RunPacked.
    bool packs = false;
  };

  // With max_batch_size 0 every request is an execution of its own.
  Batcher(Parts parts, const ModelOptions& options);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Queues a checked request, whose rows and bytes are set. Completes it inline when it cannot:
  // RESOURCE_EXHAUSTED (full), DEADLINE_EXCEEDED, CANCELLED, UNAVAILABLE (draining).
  void Enqueue(std::unique_ptr<InferRequest> request);

  // Enqueue answers UNAVAILABLE from now on; what is queued still runs.
  void Drain();
  // Drains, and answers what is queued with UNAVAILABLE.
  void Close();

  // Requests queued, not those under way.
  int64_t queued() const;

 private:
  using Entry = RequestQueue::Entry;
  struct Outcome;

  absl::Status Admit(const InferRequest& request, absl::Time now, absl::Time expiry) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time ExpiryOf(const InferRequest& request, absl::Time now) const;
  uint32_t LevelOf(const InferRequest& request) const;
  // How many tasks to submit now; they count as submitted.
  int TakePulls() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When to be called back for the next expiry; InfiniteFuture when that is seen to already.
  absl::Time TakeAlarm(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What the next batch may hold, leaving their share to this model's tasks that begin as well.
  BatchLimits LimitsNow(absl::Time now, int unoccupied, int waiting) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Submit(int pulls, bool has_yielded);
  void SetAlarm(absl::Time when);
  void OnAlarm(absl::Time when);
  // The task on a core slot: forms the next batch and runs it.
  void Pull(CoreSlot& slot, bool has_yielded);
  // Whether others' tasks, `waiting` being all, may go first while the batch grows.
  bool ShouldYield(absl::Time now, int waiting) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void RunBatch(CoreSlot& slot, std::vector<Entry> batch);
  // A batch of sequences of different lengths.
  void RunPackedBatch(CoreSlot& slot, std::vector<Entry> batch);
  void RunAlone(CoreSlot& slot, Entry entry);
  absl::Status RunModel(CoreSlot& slot, absl::Span<const Tensor> inputs,
                        std::vector<Tensor>* outputs);
  // The outputs that requests are given, of all that the model has.
  absl::Status TakeOutputs(std::vector<Tensor> all, std::vector<Tensor>* outputs) const;
  void StopJoining(const absl::Status& reason);
  // `outputs` holds one list for each request of the batch.
  void Reply(std::vector<Entry> batch, absl::Span<const std::vector<Tensor>> outputs,
             const Outcome& outcome);
  void Fail(std::unique_ptr<InferRequest> request, const absl::Status& status);
  void FailExpired(std::vector<Entry> expired);
  void FailAll(std::vector<Entry> entries, const absl::Status& status);

  std::unique_ptr<BatchAssembly> TakeAssembly();
  void ReturnAssembly(std::unique_ptr<BatchAssembly> assembly);

  const Parts parts_;
  const ModelOptions options_;

  mutable Mutex mutex_;
  RequestQueue queue_ ABSL_GUARDED_BY(mutex_);
  LatencyProfile profile_ ABSL_GUARDED_BY(mutex_);
  int pulls_ ABSL_GUARDED_BY(mutex_) = 0;  // tasks submitted and not begun
  absl::Time alarm_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool may_join_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<BatchAssembly>> assemblies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
