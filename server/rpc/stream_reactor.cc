#include "server/rpc/stream_reactor.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <limits>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/rpc/grpc_status.h"

namespace inferd {
namespace {

constexpr char kWholeErrors[] = "triton_grpc_error";
constexpr char kFinalResponse[] = "triton_final_response";
constexpr char kTraceParent[] = "traceparent";

bool AsksForWholeErrors(const grpc::CallbackServerContext& context) {
  const auto [begin, end] = context.client_metadata().equal_range(kWholeErrors);
  for (auto it = begin; it != end; ++it) {
    if (it->second == "true") return true;
  }
  return false;
}

}  // namespace

// One request and its reply. Made when the request was read, destroyed when the reply has left.
struct StreamReactor::Exchange {
  explicit Exchange(const InferSurroundings& shared)
      : state(*shared.state),
        call(shared.repository, shared.inflight, shared.max_reply_bytes, shared.features),
        request(shared.requests, shared.limits) {}
  ~Exchange() {
    if (entered) state.Leave();
  }

  ServingState& state;
  InferCall call;
  WireRequest request;
  inference::ModelStreamInferResponse response;
  grpc::ByteBuffer reply;
  absl::Status status;
  std::optional<AccessRecord> access;
  bool entered = false;
  bool answered = false;  // under the reactor's mutex
};

StreamReactor::StreamReactor(const InferSurroundings& shared, grpc::CallbackServerContext* context)
    : shared_(shared), context_(context), fails_whole_(AsksForWholeErrors(*context)) {}

StreamReactor::~StreamReactor() = default;

void StreamReactor::Start() { ReadOn(); }

void StreamReactor::OnDone() { delete this; }

void StreamReactor::ReadOn() {
  {
    MutexLock lock(&mutex_);
    if (reading_ || no_more_reads_ || exchanges_.size() >= kMaxOutstanding) return;
    reading_ = true;
  }
  StartRead(&incoming_);
}

void StreamReactor::OnReadDone(bool ok) {
  Exchange* exchange = nullptr;
  {
    MutexLock lock(&mutex_);
    reading_ = false;
    if (!ok) no_more_reads_ = true;
    if (!no_more_reads_) {
      exchanges_.push_back(std::make_unique<Exchange>(shared_));
      exchange = exchanges_.back().get();
      // A reply before Run() returns must not end the call under it.
      reading_ = true;
    }
  }
  if (exchange == nullptr) {
    Advance();
    return;
  }
  Run(exchange);
  {
    MutexLock lock(&mutex_);
    reading_ = false;
  }
  ReadOn();
  Advance();
}

void StreamReactor::Run(Exchange* exchange) {
  const absl::Time now = absl::Now();
  exchange->access = AccessLog::Begin(shared_.features.access_log, "ModelStreamInfer",
                                      static_cast<int64_t>(incoming_.Length()), now);
  exchange->entered = exchange->state.Enter();
  if (!exchange->entered) {
    Reply(exchange, WithRequestId(absl::UnavailableError("the server is shutting down"), ""));
    return;
  }
  const absl::Status parsed = exchange->request.Parse(&incoming_, &exchange->call.charge());
  if (!parsed.ok()) {
    incoming_.Clear();
    Reply(exchange, WithRequestId(parsed, ""));
    return;
  }
  if (!started_) {
    // The stream's headers, which say how replies are compressed, leave with the first of them.
    started_ = true;
    const grpc_compression_algorithm compression = ReplyCompression(
        *context_, exchange->request.compression(), std::numeric_limits<int64_t>::max());
    if (compression != GRPC_COMPRESS_NONE) context_->set_compression_algorithm(compression);
  }
  const inference::ModelInferRequest& request = exchange->request.message();
  exchange->response.mutable_infer_response()->set_id(request.id());
  ReadTraceHeaders(*context_, shared_.features, &exchange->call);
  exchange->call.Start(request, exchange->response.mutable_infer_response(), now,
                       DeadlineOf(*context_, now),
                       [this, exchange](const absl::Status& status) { Reply(exchange, status); });
}

void StreamReactor::Reply(Exchange* exchange, const absl::Status& status) {
  inference::ModelInferResponse& response = *exchange->response.mutable_infer_response();
  if (!status.ok()) {
    const std::string id = response.id();
    response.Clear();
    response.set_id(id);
    exchange->response.set_error_message(std::string(status.message()));
  }
  (*response.mutable_parameters())[kFinalResponse].set_bool_param(true);
  if (const std::string parent = exchange->call.TraceParent(); !parent.empty()) {
    (*response.mutable_parameters())[kTraceParent].set_string_param(parent);
  }
  if (exchange->access) exchange->call.Describe(&*exchange->access);
  exchange->request.Release();
  bool owned;
  const grpc::Status serialized =
      grpc::SerializationTraits<inference::ModelStreamInferResponse>::Serialize(
          exchange->response, &exchange->reply, &owned);
  exchange->response.Clear();
  exchange->status =
      serialized.ok() ? status : absl::InternalError("the reply could not be serialized");
  const auto reply_size = static_cast<int64_t>(exchange->reply.Length());
  exchange->call.charge().Set(reply_size);
  if (exchange->access) {
    exchange->access->peer = context_->peer();
    shared_.features.access_log->End(status.code(), reply_size, *std::move(exchange->access));
  }
  // In one step: once it is answered, another thread may end it and the whole call.
  Advance(exchange);
}

void StreamReactor::Advance(Exchange* answered) {
  // Exchanges end without the lock: they give much memory back.
  std::vector<std::unique_ptr<Exchange>> dropped;
  const grpc::ByteBuffer* reply = nullptr;
  grpc::Status final_status;
  bool finish = false;
  {
    MutexLock lock(&mutex_);
    if (answered != nullptr) answered->answered = true;
    while (!writing_ && !exchanges_.empty() && exchanges_.front()->answered) {
      Exchange& first = *exchanges_.front();
      if (fails_whole_ && !first.status.ok() && !no_more_writes_) {
        final_status_ = first.status;
        CancelAll();
      }
      if (!no_more_writes_) {
        writing_ = true;
        reply = &first.reply;
        break;
      }
      dropped.push_back(std::move(exchanges_.front()));
      exchanges_.pop_front();
    }
    // What is still being read comes to nothing once the status has left.
    const bool read_out = no_more_reads_ && (!reading_ || no_more_writes_);
    if (read_out && exchanges_.empty() && !finished_) {
      finish = finished_ = true;
      final_status = ToGrpcStatus(final_status_);
    }
  }
  if (reply != nullptr) StartWrite(reply);
  dropped.clear();
  if (finish) Finish(final_status);
}

void StreamReactor::OnWriteDone(bool ok) {
  std::unique_ptr<Exchange> written;
  {
    MutexLock lock(&mutex_);
    writing_ = false;
    written = std::move(exchanges_.front());
    exchanges_.pop_front();
    if (!ok) {
      if (final_status_.ok()) final_status_ = absl::CancelledError("a reply could not be sent");
      CancelAll();
    }
  }
  written.reset();
  ReadOn();
  Advance();
}

void StreamReactor::OnCancel() {
  {
    MutexLock lock(&mutex_);
    if (final_status_.ok()) final_status_ = absl::CancelledError("the client went away");
    CancelAll();
  }
  Advance();
}

void StreamReactor::CancelAll() {
  no_more_reads_ = no_more_writes_ = true;
  for (const auto& exchange : exchanges_) exchange->call.Cancel();
}

}  // namespace inferd
