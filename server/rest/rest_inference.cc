#include "server/rest/rest_inference.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

// W3C's headers.
constexpr char kTraceParent[] = "traceparent";
constexpr char kTraceState[] = "tracestate";
constexpr char kTimings[] = "inferd-timings";

}  // namespace

void RestInference::Run(const RestSurroundings& shared, std::shared_ptr<HttpCall> http,
                        const Decode& decode, Encode encode) {
  std::shared_ptr<void> counted = EnterCall(shared.state);
  if (counted == nullptr) return http->Reply(RefusedReply());
  // Not make_shared: the constructor is nobody else's.
  const std::shared_ptr<RestInference> inference(
      new RestInference(shared, std::move(http), std::move(encode), std::move(counted)));
  inference->Start(decode);
}

RestInference::RestInference(const RestSurroundings& shared, std::shared_ptr<HttpCall> http,
                             Encode encode, std::shared_ptr<void> counted)
    : shared_(shared),
      received_(absl::Now()),
      counted_(std::move(counted)),
      http_(std::move(http)),
      encode_(std::move(encode)),
      call_(shared.repository, shared.inflight, shared.max_reply_bytes, shared.features) {}

void RestInference::Start(const Decode& decode) {
  HttpRequest& http = http_->request();
  inference::ModelInferRequest& message = request_.message;
  message.set_model_name(http.captures[0]);
  if (http.captures.size() > 1) message.set_model_version(http.captures[1]);
  access_ = AccessLog::Begin(shared_.features.access_log, "REST",
                             static_cast<int64_t>(http.body.size()), received_);
  if (access_) access_->peer = http.peer;
  ReadTraceHeaders(http);
  const absl::Status decoded = decode(http, &call_.charge(), &request_);
  // What the message needs is in the message.
  http.body = std::string();
  http.charge.reset();
  if (!decoded.ok()) return Refuse(decoded);
  http_->WhenGone([weak = weak_from_this()] {
    if (const std::shared_ptr<RestInference> inference = weak.lock()) inference->call_.Cancel();
  });
  call_.Start(message, &response_, received_, absl::InfiniteFuture(),
              [self = shared_from_this()](const absl::Status& status) { self->Finish(status); });
}

void RestInference::Refuse(const absl::Status& status) {
  const inference::ModelInferRequest& message = request_.message;
  const absl::StatusOr<ModelHandle> model =
      shared_.repository->Get(message.model_name(), message.model_version());
  if (model.ok()) (*model)->CountRefusal(status, absl::Now() - received_);
  const bool names_model = absl::StrContains(status.message(), "model '");
  Finish(WithRequestId(
      names_model ? status : Annotate(status, absl::StrCat("model '", message.model_name(), "'")),
      message.id()));
}

void RestInference::ReadTraceHeaders(const HttpRequest& http) {
  const Tracer* const tracer = shared_.features.tracer;
  if (tracer == nullptr || !tracer->enabled()) return;
  const absl::string_view parent = http.Header(kTraceParent);
  if (!parent.empty()) call_.SetTraceHeaders(parent, http.Header(kTraceState));
}

void RestInference::AddTraceHeaders(HttpReply* reply) const {
  const std::string parent = call_.TraceParent();
  if (parent.empty()) return;
  reply->headers.emplace_back(kTraceParent, parent);
  if (!call_.trace_state().empty()) reply->headers.emplace_back(kTraceState, call_.trace_state());
}

void RestInference::Finish(const absl::Status& status) {
  if (access_) {
    call_.Describe(&*access_);
    // It does not know them where the body was refused.
    access_->request_id = request_.message.id();
    access_->model = request_.message.model_name();
  }
  timings_ = call_.TimingsText();
  request_.message.clear_raw_input_contents();
  const std::shared_ptr<HttpCall> http = std::move(http_);
  http->ReplyWith([self = shared_from_this(), status] {
    HttpReply reply = status.ok() ? self->MakeReply() : HttpError(status);
    self->AddTraceHeaders(&reply);
    if (!self->timings_.empty()) reply.headers.emplace_back(kTimings, self->timings_);
    if (self->access_) {
      self->shared_.features.access_log->End(status.code(), static_cast<int64_t>(reply.body.size()),
                                             *std::move(self->access_));
    }
    reply.held = self;
    return reply;
  });
}

HttpReply RestInference::MakeReply() {
  absl::StatusOr<HttpReply> reply = encode_(request_, response_);
  response_.Clear();
  if (!reply.ok()) return HttpError(WithRequestId(reply.status(), request_.message.id()));
  call_.charge().Set(static_cast<int64_t>(reply->body.size()));
  return *std::move(reply);
}

}  // namespace inferd
