#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "engine/core/mutex.h"
#include "engine/plan/plan.h"
#include "engine/runtime/executor.h"

namespace inferd {

// A model's plans by bound input shapes with a pool of executors each: a miss binds once, however
// many callers ask (single flight); the least recently used plan goes when there are too many.
// A failed bind is not kept. Thread-safe.
class PlanCache {
 public:
  using Bind =
      std::function<absl::StatusOr<std::shared_ptr<const Plan>>(const std::vector<Shape>& shapes)>;

  PlanCache(int max_plans, Bind bind);

  // Borrows an executor for these shapes; ReturnExecutor gives it back.
  absl::StatusOr<std::unique_ptr<Executor>> BorrowExecutor(const std::vector<Shape>& shapes);
  void ReturnExecutor(const std::vector<Shape>& shapes, std::unique_ptr<Executor> executor);

  absl::StatusOr<std::shared_ptr<const Plan>> PlanFor(const std::vector<Shape>& shapes);

  // Puts `plan` in the place of the plan for `shapes`, if that is still there.
  void Replace(const std::vector<Shape>& shapes, std::shared_ptr<const Plan> plan);
  // Lets all plans go; what is bound afterwards is made anew. Executions go on with theirs.
  void Clear();
  // The shapes of the plan most used that TakeUntuned did not give before; empty: there is none.
  std::optional<std::vector<Shape>> TakeUntuned();

  // The shapes of plans that are there, at most so many, the most used first.
  std::vector<std::vector<Shape>> MostUsed(size_t limit) const;

  int num_plans() const;
  int64_t largest_arena_bytes() const;
  // Of an arena, what kernels work in.
  int64_t largest_workspace_bytes() const;

 private:
  // Executors kept per plan beyond those in use.
  static constexpr size_t kMaxIdleExecutors = 16;

  int64_t Largest(absl::FunctionRef<int64_t(const Plan& plan)> bytes_of) const;

  struct Entry {
    std::shared_ptr<const Plan> plan;
    absl::Status status;
    bool ready = false;
    bool tuned = false;
    int64_t uses = 0;
    std::vector<std::unique_ptr<Executor>> idle;
    std::list<std::vector<Shape>>::iterator recency;
  };

  // The entry with its plan ready; binds without the lock when it is missing.
  absl::StatusOr<std::shared_ptr<Entry>> FindOrBind(const std::vector<Shape>& shapes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int max_plans_;
  const Bind bind_;
  mutable Mutex mutex_;
  CondVar bound_;
  absl::flat_hash_map<std::vector<Shape>, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
  std::list<std::vector<Shape>> recency_ ABSL_GUARDED_BY(mutex_);  // most recent first
};

}  // namespace inferd
