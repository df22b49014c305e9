#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/mutex.h"
#include "engine/core/recoverable_bytes.h"
#include "engine/engine.h"
#include "engine/graph/graph.h"
#include "engine/passes/token_form.h"
#include "engine/plan/plan.h"
#include "engine/runtime/plan_cache.h"

namespace inferd {

// Runs several requests with sequences of different lengths (dimension 1 of every input) as one
// execution without padding, where PackSequences can rewrite the model so. Numbers of tokens and
// sequences are rounded up a little, so that few plans serve all. Owned by a compiled model, whose
// functions it uses. Thread-safe.
class SequencePacking {
 public:
  struct Functions {
    // The graph for these input shapes, after the bound passes.
    std::function<absl::StatusOr<Graph>(const std::vector<Shape>& shapes)> bind;
    // The bound passes and the plan for a graph whose shapes are bound.
    std::function<absl::StatusOr<std::shared_ptr<const Plan>>(Graph graph)> build;
  };

  SequencePacking(std::vector<TensorInfo> inputs, int max_plans,
                  std::shared_ptr<RecoverySet> recovery, Functions functions);
  ~SequencePacking();

  // Whether all inputs are [rows, length, ...] with one free length.
  bool TakesSequences() const;
  // Why such a model cannot be packed; OK when it can, as far as its graph tells.
  absl::Status Check();

  // As Model::RunPacked.
  absl::Status Run(CoreSlot& slot, absl::Span<const absl::Span<const Tensor>> requests,
                   std::vector<std::vector<Tensor>>* outputs);

  const PlanCache& plans() const { return plans_; }

 private:
  struct Sizes {
    int64_t tokens = 0;
    int64_t sequences = 0;
    int64_t longest = 0;
  };
  struct Buffers;

  std::vector<Shape> ShapesFor(int64_t length) const;
  using Key = std::vector<Shape>;  // of plans_
  struct Borrowed {
    Key key;
    std::unique_ptr<Executor> executor;
  };

  absl::StatusOr<Graph> Pack(const Sizes& sizes) const;
  absl::StatusOr<std::shared_ptr<const Plan>> Bind(const Sizes& sizes) const;
  static Key KeyOf(const Sizes& sizes, int64_t longest);
  absl::StatusOr<Borrowed> Borrow(const Sizes& sizes);
  absl::StatusOr<Sizes> Measure(absl::Span<const absl::Span<const Tensor>> requests) const;
  absl::Status Fill(absl::Span<const absl::Span<const Tensor>> requests, const Sizes& sizes,
                    Buffers& buffers) const;
  // Views of each request's tokens or sequences in every output.
  static void Split(absl::Span<const absl::Span<const Tensor>> requests,
                    absl::Span<const Tensor> packed, std::vector<std::vector<Tensor>>* outputs);
  std::unique_ptr<Buffers> TakeBuffers();
  void ReturnBuffers(std::unique_ptr<Buffers> buffers);

  const std::vector<TensorInfo> inputs_;
  const std::shared_ptr<RecoverySet> recovery_;  // of the constants that binding reads
  const Functions functions_;
  PlanCache plans_;
  // The least power of two that the model was found not to take as a length.
  std::atomic<int64_t> too_long_ = std::numeric_limits<int64_t>::max();
  // From this length on packing was found to fail.
  std::atomic<int64_t> never_from_ = std::numeric_limits<int64_t>::max();
  Mutex mutex_;
  std::vector<std::unique_ptr<Buffers>> buffers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
