#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/tracing/trace_context.h"

namespace inferd {

// What traced requests of one batch share. Immutable once the first is answered.
struct BatchTrace {
  SpanId span{};
  std::vector<SpanContext> requests;
};

// A request that is traced, from its start to its spans. Made by Tracer for the few requests that
// are sampled, owned by the call. Used by one thread at a time.
struct RequestTrace {
  SpanContext context;                // of the request's own span
  std::optional<SpanContext> parent;  // the client's span
  std::string state;                  // its tracestate
  bool tensors = false;               // whether the spans show what the tensors are
  int64_t log_frequency = 0;          // send what is queued after each so many traces
  absl::Time received;

  // Set by the batcher when the request was executed; the first of a batch writes its span.
  std::shared_ptr<const BatchTrace> batch;
  bool is_first_of_batch = false;
};

}  // namespace inferd
