#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/inference.pb.h"
#include "server/metrics/access_log.h"
#include "server/repository/model_repository.h"
#include "server/rpc/infer_codec.h"
#include "server/rpc/inflight_bytes.h"
#include "server/rpc/shared_memory_regions.h"
#include "server/tracing/tracer.h"

namespace inferd {

// What calls may use besides the models; null where it is off. All outlive the calls.
struct InferFeatures {
  SharedMemoryRegions* shared_memory = nullptr;
  Tracer* tracer = nullptr;
  AccessLog* access_log = nullptr;
};

// One ModelInfer from the parsed request to the encoded reply, without anything of gRPC. It must
// live until `done` is called. Used by one thread at a time, except Cancel().
class InferCall {
 public:
  using Done = absl::AnyInvocable<void(const absl::Status& status)>;

  // The pointers outlive it.
  InferCall(const ModelRepository* repository, InflightBytes* inflight, int64_t max_reply_bytes,
            const InferFeatures& features = {})
      : repository_(repository),
        max_reply_bytes_(max_reply_bytes),
        features_(features),
        charge_(inflight) {}
  InferCall(const InferCall&) = delete;
  InferCall& operator=(const InferCall&) = delete;

  // The memory of this request, held until the call is destroyed.
  InflightCharge& charge() { return charge_; }

  // W3C headers that came with the request, where tracing is on; before Start(). The text is
  // copied.
  void SetTraceHeaders(absl::string_view parent, absl::string_view state);
  // The traceparent of the request's span; empty unless it is traced. From Start() to `done`.
  std::string TraceParent() const;
  const std::string& trace_state() const { return trace_state_; }

  // "queue_us=... compute_input_us=... compute_infer_us=... compute_output_us=... total_us=...
  // batch_size=..." of a request that asked by the parameter "inferd_timings"; else empty. During
  // `done`. The reply has the same as parameters "inferd_queue_us" and so on.
  std::string TimingsText() const;
  // Fills in what the call knows of itself: names, id and timing. During `done`.
  void Describe(AccessRecord* record) const;

  // Decodes, queues, encodes. Calls `done` exactly once, on any thread, possibly before it returns;
  // `request` and `response` must live until then. With an error `response` is worthless.
  void Start(const inference::ModelInferRequest& request, inference::ModelInferResponse* response,
             absl::Time received, absl::Time deadline, Done done);

  // The client went away: the request need not run any more. Any thread, any time.
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  absl::StatusOr<std::unique_ptr<InferRequest>> Decode(const inference::ModelInferRequest& request);
  void Complete(const absl::Status& status, absl::Span<const Tensor> outputs);
  // Calls `done`, which may destroy this call.
  void Finish(absl::Status status);
  void EndTrace(const absl::Status& status);
  std::vector<std::pair<const char*, int64_t>> Timings() const;

  const ModelRepository* const repository_;
  const int64_t max_reply_bytes_;
  const InferFeatures features_;
  InflightCharge charge_;
  std::atomic<bool> cancelled_{false};

  ModelHandle model_;
  std::vector<RequestedOutput> requested_;
  std::string id_;
  inference::ModelInferResponse* response_ = nullptr;
  RequestTiming timing_;
  absl::Time received_;
  absl::Time ended_;
  bool wants_timings_ = false;
  std::optional<SpanContext> trace_parent_;
  std::string trace_state_;
  std::unique_ptr<RequestTrace> trace_;
  const inference::ModelInferRequest* request_ = nullptr;
  absl::Status status_;
  Done done_;
};

// `status` with the request's id before its message.
absl::Status WithRequestId(const absl::Status& status, absl::string_view id);

}  // namespace inferd
