#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <deque>
#include <memory>

#include "absl/status/status.h"
#include "engine/core/mutex.h"
#include "server/rpc/infer_reactor.h"

namespace inferd {

// One ModelStreamInfer. Requests run at once; their replies leave in the order of the requests. A
// request that fails is answered by an error_message with its id, and the stream goes on; with the
// call metadata "triton_grpc_error: true" the first failure ends the stream with its status
// instead. No further request is read while kMaxOutstanding are not answered, so that a client that
// does not read holds no more than that. Each request counts as a call of its own for the drain.
// Owns itself: made with new by the service, deleted in OnDone(). Thread-safe.
class StreamReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  static constexpr size_t kMaxOutstanding = 64;

  StreamReactor(const InferSurroundings& shared, grpc::CallbackServerContext* context);
  ~StreamReactor() override;
  void Start();

 private:
  struct Exchange;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Reads on unless there is enough to do.
  void ReadOn();
  void Run(Exchange* exchange);
  // The reply of `exchange` is there; it may be destroyed before this returns.
  void Reply(Exchange* exchange, const absl::Status& status);
  // Starts the next write, or finishes the call when nothing is left to do. `answered` has its
  // reply now. A caller that gRPC does not wait for must not touch the reactor afterwards.
  void Advance(Exchange* answered = nullptr);
  void CancelAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const InferSurroundings& shared_;
  grpc::CallbackServerContext* const context_;
  const bool fails_whole_;
  grpc::ByteBuffer incoming_;
  bool started_ = false;  // the first request was read

  Mutex mutex_;
  // In the order of the requests; the first is being written when `writing_`.
  std::deque<std::unique_ptr<Exchange>> exchanges_ ABSL_GUARDED_BY(mutex_);
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool no_more_reads_ ABSL_GUARDED_BY(mutex_) = false;
  bool no_more_writes_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status final_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
