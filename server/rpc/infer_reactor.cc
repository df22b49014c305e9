#include "server/rpc/infer_reactor.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/grpc_status.h"

namespace inferd {
namespace {

constexpr char kResponseEncoding[] = "response-encoding";
// W3C's headers.
constexpr char kTraceParent[] = "traceparent";
constexpr char kTraceState[] = "tracestate";
constexpr char kTimings[] = "inferd-timings";
constexpr int64_t kLeastCompressedBytes = 1024;

}  // namespace

absl::Time DeadlineOf(const grpc::CallbackServerContext& context, absl::Time now) {
  const absl::Time deadline = absl::FromChrono(context.deadline());
  return deadline > now + absl::Hours(24 * 365) ? absl::InfiniteFuture() : deadline;
}

grpc_compression_algorithm ReplyCompression(const grpc::CallbackServerContext& context,
                                            grpc_compression_algorithm request, int64_t bytes) {
  if (bytes < kLeastCompressedBytes) return GRPC_COMPRESS_NONE;
  if (request != GRPC_COMPRESS_NONE) return request;
  const auto asked = context.client_metadata().find(kResponseEncoding);
  if (asked == context.client_metadata().end()) return GRPC_COMPRESS_NONE;
  if (asked->second == "gzip") return GRPC_COMPRESS_GZIP;
  return asked->second == "deflate" ? GRPC_COMPRESS_DEFLATE : GRPC_COMPRESS_NONE;
}

void ReadTraceHeaders(const grpc::CallbackServerContext& context, const InferFeatures& features,
                      InferCall* call) {
  if (features.tracer == nullptr || !features.tracer->enabled()) return;
  const auto& metadata = context.client_metadata();
  const auto text = [&](const char* key) {
    const auto it = metadata.find(key);
    return it == metadata.end() ? absl::string_view()
                                : absl::string_view(it->second.data(), it->second.size());
  };
  const absl::string_view parent = text(kTraceParent);
  if (!parent.empty()) call->SetTraceHeaders(parent, text(kTraceState));
}

InferReactor::InferReactor(const InferSurroundings& shared, grpc::CallbackServerContext* context,
                           grpc::ByteBuffer* request, grpc::ByteBuffer* reply)
    : shared_(shared),
      context_(context),
      request_bytes_(request),
      reply_bytes_(reply),
      call_(shared.repository, shared.inflight, shared.max_reply_bytes, shared.features),
      request_(shared.requests, shared.limits) {}

void InferReactor::Start() {
  const absl::Time received = absl::Now();
  access_ = AccessLog::Begin(shared_.features.access_log, "ModelInfer",
                             static_cast<int64_t>(request_bytes_->Length()), received);
  entered_ = shared_.state->Enter();
  if (!entered_) {
    Reply(WithRequestId(absl::UnavailableError("the server is shutting down"), ""));
    return;
  }
  const absl::Status parsed = request_.Parse(request_bytes_, &call_.charge());
  if (!parsed.ok()) {
    Reply(WithRequestId(parsed, ""));
    return;
  }
  response_ = shared_.responses->Take();
  ReadTraceHeaders(*context_, shared_.features, &call_);
  call_.Start(request_.message(), &response_->message, received, DeadlineOf(*context_, received),
              [this](const absl::Status& status) { Reply(status); });
}

void InferReactor::Reply(const absl::Status& status) {
  if (access_) call_.Describe(&*access_);
  request_.Release();
  request_bytes_->Clear();
  const grpc::Status reply = status.ok() ? SerializeReply() : ToGrpcStatus(status);
  if (response_ != nullptr) {
    // What the message holds is what it serializes to, and a little for its fields.
    shared_.responses->Give(std::move(response_), static_cast<int64_t>(reply_bytes_->Length()));
  }
  const auto reply_size = static_cast<int64_t>(reply_bytes_->Length());
  call_.charge().Set(reply_size);
  if (access_) {
    access_->peer = context_->peer();
    shared_.features.access_log->End(status.code(), reply_size, *std::move(access_));
  }
  if (const std::string timings = call_.TimingsText(); !timings.empty()) {
    context_->AddTrailingMetadata(kTimings, timings);
  }
  if (const std::string parent = call_.TraceParent(); !parent.empty()) {
    context_->AddTrailingMetadata(kTraceParent, parent);
    if (!call_.trace_state().empty()) {
      context_->AddTrailingMetadata(kTraceState, call_.trace_state());
    }
  }
  const grpc_compression_algorithm compression =
      ReplyCompression(*context_, request_.compression(), reply_size);
  if (compression != GRPC_COMPRESS_NONE) context_->set_compression_algorithm(compression);
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
