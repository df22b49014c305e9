#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "proto/inference.pb.h"
#include "server/repository/model_repository.h"
#include "server/rpc/infer_call.h"
#include "server/rpc/inflight_bytes.h"
#include "server/rpc/message_pool.h"
#include "server/rpc/serving_state.h"
#include "server/rpc/wire_request.h"

namespace inferd {

using ResponsePool = MessagePool<inference::ModelInferResponse>;

// What all ModelInfer calls share; outlives them. Thread-safe.
struct InferSurroundings {
  const ModelRepository* repository;
  ServingState* state;
  InflightBytes* inflight;
  RequestPool* requests;
  ResponsePool* responses;
  int64_t max_reply_bytes;
  InferFeatures features;
  WireLimits limits;
};

// When a call must be answered; gRPC says "no deadline" with one that is centuries away.
absl::Time DeadlineOf(const grpc::CallbackServerContext& context, absl::Time now);

// How a reply of `bytes` bytes leaves: as the request came, or else as the call's metadata
// "response-encoding: gzip" (or deflate) asks. Small replies are not worth it, and a client that
// could read compressed replies, as most can, has not asked for them.
grpc_compression_algorithm ReplyCompression(const grpc::CallbackServerContext& context,
                                            grpc_compression_algorithm request, int64_t bytes);

// Gives `call` the trace headers of the metadata, where tracing is on.
void ReadTraceHeaders(const grpc::CallbackServerContext& context, const InferFeatures& features,
                      InferCall* call);

// One ModelInfer on the side of gRPC. The request comes unparsed, so that its memory is admitted
// before it is taken; the reply leaves serialized, so that both messages go back to their pools
// before it is sent. Owns itself: made with new by the service, deleted in OnDone(). Used by one
// thread at a time, except OnCancel().
class InferReactor final : public grpc::ServerUnaryReactor {
 public:
  // `request` and `reply` belong to gRPC and live until OnDone().
  InferReactor(const InferSurroundings& shared, grpc::CallbackServerContext* context,
               grpc::ByteBuffer* request, grpc::ByteBuffer* reply);

  // Counts the call, parses the request, starts it. Finishes exactly once in the end.
  void Start();

 private:
  void OnCancel() override { call_.Cancel(); }
  void OnDone() override;
  // Not part of gRPC's API, but what its own default reactor does: without it each call's OnDone
  // takes a further thread, a sixth of the server's time. What OnCancel and OnDone do is trivial.
  bool InternalInlineable() override { return true; }

  void Reply(const absl::Status& status);
  grpc::Status SerializeReply();

  const InferSurroundings& shared_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const request_bytes_;
  grpc::ByteBuffer* const reply_bytes_;
  InferCall call_;
  std::optional<AccessRecord> access_;  // of a request that is logged
  bool entered_ = false;
  WireRequest request_;
  std::unique_ptr<ResponsePool::Entry> response_;
};

}  // namespace inferd
