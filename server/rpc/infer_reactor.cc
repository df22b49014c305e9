#include "server/rpc/infer_reactor.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/request_scan.h"

namespace inferd {
namespace {

// gRPC says "no deadline" with one that is centuries away.
absl::Time DeadlineOf(const grpc::CallbackServerContext& context, absl::Time now) {
  const absl::Time deadline = absl::FromChrono(context.deadline());
  return deadline > now + absl::Hours(24 * 365) ? absl::InfiniteFuture() : deadline;
}

}  // namespace

InferReactor::InferReactor(const InferSurroundings& shared, grpc::CallbackServerContext* context,
                           grpc::ByteBuffer* request, grpc::ByteBuffer* reply)
    : shared_(shared),
      context_(context),
      request_bytes_(request),
      reply_bytes_(reply),
      call_(shared.repository, shared.inflight, shared.max_reply_bytes) {}

void InferReactor::Start() {
  const absl::Time received = absl::Now();
  entered_ = shared_.state->Enter();
  if (!entered_) {
    Finish(ToGrpcStatus(absl::UnavailableError("the server is shutting down")));
    return;
  }
  const absl::Status parsed = Parse();
  if (!parsed.ok()) {
    Reply(WithRequestId(parsed, ""));
    return;
  }
  response_ = shared_.responses->Take();
  call_.Start(request_->message, &response_->message, received, DeadlineOf(*context_, received),
              [this](const absl::Status& status) { Reply(status); });
}

absl::Status InferReactor::Parse() {
  const int64_t wire_bytes = static_cast<int64_t>(request_bytes_->Length());
  {
    grpc::ProtoBufferReader reader(request_bytes_);
    ASSIGN_OR_RETURN(parsed_bytes_, ScanRequest(&reader));
  }
  RETURN_IF_ERROR(call_.charge().Add(wire_bytes + parsed_bytes_));
  request_ = shared_.requests->Take();
  grpc::ProtoBufferReader reader(request_bytes_);
  if (!request_->message.ParseFromZeroCopyStream(&reader)) {
    return absl::InvalidArgumentError("the request is not a ModelInferRequest message");
  }
  request_bytes_->Clear();
  call_.charge().Set(parsed_bytes_);
  return absl::OkStatus();
}

void InferReactor::Reply(const absl::Status& status) {
  if (request_ != nullptr) shared_.requests->Give(std::move(request_), parsed_bytes_);
  request_bytes_->Clear();
  const grpc::Status reply = status.ok() ? SerializeReply() : ToGrpcStatus(status);
  if (response_ != nullptr) {
    // What the message holds is what it serializes to, and a little for its fields.
    shared_.responses->Give(std::move(response_), static_cast<int64_t>(reply_bytes_->Length()));
  }
  call_.charge().Set(static_cast<int64_t>(reply_bytes_->Length()));
  Finish(reply);
}

grpc::Status InferReactor::SerializeReply() {
  bool owned;
  return grpc::SerializationTraits<inference::ModelInferResponse>::Serialize(response_->message,
                                                                             reply_bytes_, &owned);
}

void InferReactor::OnDone() {
  const bool entered = entered_;
  ServingState* const state = shared_.state;
  delete this;
  if (entered) state->Leave();
}

}  // namespace inferd
