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
// sequences are rounded up a little, so that few plans serve all. Padding at the ends of rows, as
// an input that masks it tells, is left out where the graph shows that it reaches no output. Owned
// by a compiled model, whose functions it uses. Thread-safe.
class SequencePacking {
 public:
  struct Functions {
    // The graph for these input shapes, after the bound passes with ConfigToBind.
    std::function<absl::StatusOr<Graph>(const std::vector<Shape>& shapes)> bind;
    // The bound passes and the plan for a graph whose shapes are bound.
    std::function<absl::StatusOr<std::shared_ptr<const Plan>>(Graph graph)> build;
  };

  // Leaves what is chosen for the packed graph, epilogues, element types and memory orders, open.
  static EngineConfig ConfigToBind(EngineConfig config);

  SequencePacking(std::vector<TensorInfo> inputs, int max_plans,
                  std::shared_ptr<RecoverySet> recovery, Functions functions);
  ~SequencePacking();

  // Whether all inputs are [rows, length, ...] with one free length.
  bool TakesSequences() const;
  // Why such a model cannot be packed; OK when it can, as far as its graph tells. Then
  // `mask_input`, where it is not null, is the input whose zeros at the ends of rows tell what
  // reaches no output (FindPaddingMask), or FAILED_PRECONDITION with the reason why there is none.
  absl::Status Check(absl::StatusOr<int>* mask_input = nullptr);

  // From now on the tokens behind the ones of a row of that input are left out, where all of them
  // are zeros; -1: none, as at first.
  void SkipPadding(int mask_input);
  // Whether so many tokens of a request would be left out that it should rather run by Run, alone.
  bool PaysForPadding(absl::Span<const Tensor> request) const;

  // As Model::RunPacked.
  absl::Status Run(CoreSlot& slot, absl::Span<const absl::Span<const Tensor>> requests,
                   std::vector<std::vector<Tensor>>* outputs);

  const PlanCache& plans() const { return plans_; }
  PlanCache& plans() { return plans_; }

 private:
  struct Sizes {
    int64_t tokens = 0;
    int64_t sequences = 0;
    int64_t longest = 0;  // padding included
  };
  // What is run of requests.
  struct Extent {
    Sizes sizes;
    std::vector<int64_t> lengths;  // of each row of each request, in order
  };
  struct Buffers;

  std::vector<Shape> ShapesFor(int64_t length) const;
  using Key = std::vector<Shape>;  // of plans_
  struct Borrowed {
    Key key;
    std::unique_ptr<Executor> executor;
  };

  // `mask_input`, where it is not null, becomes what FindPaddingMask says of the bindings.
  absl::StatusOr<Graph> Pack(const Sizes& sizes, absl::StatusOr<int>* mask_input = nullptr) const;
  // How many tokens of a row are run.
  int64_t KeptTokens(const Tensor& mask, int64_t row) const;
  absl::StatusOr<std::shared_ptr<const Plan>> Bind(const Sizes& sizes) const;
  static Key KeyOf(const Sizes& sizes, int64_t longest);
  absl::StatusOr<Borrowed> Borrow(const Sizes& sizes);
  absl::StatusOr<Extent> Measure(absl::Span<const absl::Span<const Tensor>> requests) const;
  absl::Status Fill(absl::Span<const absl::Span<const Tensor>> requests, const Extent& extent,
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
  std::atomic<int> mask_input_ = -1;  // -1: all tokens are run
  // From this length on packing was found to fail.
  std::atomic<int64_t> never_from_ = std::numeric_limits<int64_t>::max();
  Mutex mutex_;
  std::vector<std::unique_ptr<Buffers>> buffers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
