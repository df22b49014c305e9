#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "server/tracing/request_trace.h"
#include "server/tracing/span.h"
#include "server/tracing/span_queue.h"
#include "server/tracing/trace_settings.h"

namespace inferd {

// Decides which requests are traced, by the settings of their model or else of all, and takes their
// spans. A request that is not traced costs a load and, while tracing is on, a count. Owned by the
// daemon. Thread-safe.
class Tracer {
 public:
  // `initial` is what clearing a setting goes back to, `provider` who runs models; `queue` outlives
  // it.
  Tracer(const TraceSettings& initial, std::string provider, SpanQueue* queue);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  const std::string& provider() const { return provider_; }
  // Whether any request may be traced: else the rest need not be asked.
  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }
  // The trace of a request that begins, or null. What comes with a `parent` is traced if that is
  // sampled; the rest by rate.
  std::unique_ptr<RequestTrace> Begin(absl::string_view model,
                                      const std::optional<SpanContext>& parent,
                                      absl::string_view state, absl::Time received);
  // Takes the spans of a request that has ended.
  void End(const RequestTrace& trace, std::vector<Span> spans);

  // Settings in force for all models, or for one.
  TraceSettings Settings(absl::string_view model) const;
  TraceOverrides Overrides(absl::string_view model) const;
  // Replaces what is set for all models (an empty name) or one.
  void SetOverrides(absl::string_view model, const TraceOverrides& overrides);

 private:
  // Settings and how far they are used up.
  struct Scope {
    TraceOverrides overrides;
    TraceSettings settings;
    int64_t seen = 0;
    int64_t left = -1;
  };
  static bool TakeOne(Scope* scope, bool always);
  void Refresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TraceSettings initial_;
  const std::string provider_;
  SpanQueue* const queue_;
  std::atomic<bool> enabled_{false};
  mutable Mutex mutex_;
  Scope all_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Scope> models_ ABSL_GUARDED_BY(mutex_);
  int64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace inferd
