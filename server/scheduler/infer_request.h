#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "server/tracing/request_timing.h"

namespace inferd {

struct RequestTrace;

// One inference from decoded inputs to exactly one completion. Made by the RPC layer, handed to
// ServedModel::Infer, then owned by the scheduler. Used by one thread at a time.
struct InferRequest {
  // With OK: `outputs` in the order of ServedModel::outputs(), already cut to this request's rows,
  // row-major, valid only during the call. With an error: `outputs` is empty.
  using Completion = absl::AnyInvocable<void(const absl::Status& status,
                                             absl::Span<const Tensor> outputs)>;

  std::string id;
  // In the order of ServedModel::inputs(). The memory they view is kept alive by the completion's
  // owner until `complete` is called.
  std::vector<Tensor> inputs;
  absl::Time deadline = absl::InfiniteFuture();
  // How long it may queue; none = the model's default.
  std::optional<absl::Duration> queue_timeout;
  // 1 is the most urgent; 0 = the model's default level.
  uint32_t priority = 0;
  // Set by the RPC layer when the client went away; read when a batch is formed. May be null.
  std::shared_ptr<const std::atomic<bool>> cancelled;
  // Of a request that is traced, else null; outlives it.
  RequestTrace* trace = nullptr;
  // When the server first saw the request; InfinitePast = when Infer() was called.
  absl::Time received = absl::InfinitePast();

  // Called exactly once, on any thread, possibly inside Infer(). Must not block: encode the reply
  // here.
  Completion complete;
  // May be empty. Called exactly once, after `complete` and after the statistics have counted the
  // request: send the reply here, so that a client that then asks for statistics finds itself.
  absl::AnyInvocable<void()> finish;

  // Set by ServedModel::Infer and the batcher.
  int64_t rows = 1;   // dimension 0 where the model batches, else 1
  int64_t bytes = 0;  // of all inputs
  RequestTiming timing;

  bool IsCancelled() const { return cancelled && cancelled->load(std::memory_order_relaxed); }
};

}  // namespace inferd
