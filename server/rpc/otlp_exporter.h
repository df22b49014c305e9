#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/core/mutex.h"
#include "server/tracing/span_queue.h"

namespace inferd {

// Where spans go. A value type.
struct OtlpCollector {
  std::string endpoint;     // "HOST:PORT", which need not be there
  std::string authorities;  // PEM certificates that its own must be of; empty: without TLS
};

// Sends finished spans to an OpenTelemetry collector: OTLP over gRPC, in batches, from a thread of
// its own. A batch that the collector does not take is tried a few times, with growing
// pauses, then dropped and counted. Ends with one try for what is still queued. Thread-safe.
class OtlpExporter {
 public:
  // `resource` says who sends; `queue` outlives it.
  OtlpExporter(const OtlpCollector& collector,
               std::vector<std::pair<std::string, std::string>> resource, SpanQueue* queue);
  // Closes the queue.
  ~OtlpExporter();
  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  int64_t exported() const { return exported_.load(std::memory_order_relaxed); }

 private:
  struct Client;

  void Loop();
  // Tries to send until it succeeds, is refused for good or has been tried often enough.
  void Send(const std::vector<Span>& spans);
  // False when the destructor came first.
  bool Pause(absl::Duration time);

  const std::string endpoint_;
  const std::vector<std::pair<std::string, std::string>> resource_;
  SpanQueue* const queue_;
  const std::unique_ptr<Client> client_;
  std::atomic<int64_t> exported_{0};
  // Whether the log knows that the collector does not answer; the thread's own.
  bool failing_ = false;
  Mutex mutex_;
  CondVar stopped_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace inferd
