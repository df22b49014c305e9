#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/plan/body.h"
#include "engine/runtime/executor.h"

namespace inferd {

// Runs a body of If, Loop or Scan again and again: by the plan bound to its arguments' types where
// there is one, without a lock while they stay the same, else by the plan for any types. Part of
// the executor of the plan around it. Used by one thread at a time.
class BodyRunner {
 public:
  explicit BodyRunner(std::shared_ptr<const Body> body) : body_(std::move(body)) {}

  const Body& body() const { return *body_; }
  int64_t limit_bytes() const { return body_->any_plan()->limit_bytes; }

  // `slot` is that of the plan around. The results are valid until Release, which must follow.
  absl::Status Run(absl::Span<const Tensor> arguments, CoreSlot& slot);
  const Tensor& result(int i) const { return running_->output(i); }
  // False when result i lies in the arena, or in an argument, which the next run may overwrite.
  bool IsKept(int i) const;
  void Release() { running_->Release(); }

 private:
  Executor& Choose(absl::Span<const Tensor> arguments);

  const std::shared_ptr<const Body> body_;
  std::unique_ptr<Executor> any_;
  std::unique_ptr<Executor> bound_;
  Executor* running_ = nullptr;
};

}  // namespace inferd
