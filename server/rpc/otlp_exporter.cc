#include "server/rpc/otlp_exporter.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "proto/otlp_trace.grpc.pb.h"
#include "server/metrics/log.h"

namespace inferd {
namespace {

namespace otlp = opentelemetry::proto::collector::trace::v1;

constexpr size_t kBatchSpans = 512;
constexpr absl::Duration kBatchDelay = absl::Seconds(1);
constexpr int kMaxTries = 4;
constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr std::chrono::seconds kCallTimeout(5);
constexpr std::chrono::seconds kLastCallTimeout(1);

template <typename Id>
void SetBytes(const Id& id, std::string* bytes) {
  bytes->assign(reinterpret_cast<const char*>(id.data()), id.size());
}

// Texts of clients, cut to a length, may end within a character; collectors refuse such messages.
std::string Utf8Text(const std::string& text) {
  std::string valid;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    bool whole = (lead < 0x80 || (lead >= 0xc2 && lead < 0xf5)) && length <= text.size() - i;
    for (size_t k = 1; whole && k < length; ++k) whole = (text[i + k] & 0xc0) == 0x80;
    valid.append(whole ? text.substr(i, length) : "?");
    i += whole ? length : 1;
  }
  return valid;
}

uint64_t Nanoseconds(absl::Time time) { return static_cast<uint64_t>(absl::ToUnixNanos(time)); }

void AddAttribute(const std::string& key, const Span::Value& value, otlp::KeyValue* to) {
  to->set_key(key);
  if (const auto* text = std::get_if<std::string>(&value)) {
    to->mutable_value()->set_string_value(Utf8Text(*text));
  } else {
    to->mutable_value()->set_int_value(std::get<int64_t>(value));
  }
}

void Convert(const Span& span, otlp::Span* to) {
  SetBytes(span.context.trace, to->mutable_trace_id());
  SetBytes(span.context.span, to->mutable_span_id());
  if (span.parent != SpanId()) SetBytes(span.parent, to->mutable_parent_span_id());
  to->set_trace_state(Utf8Text(span.state));
  to->set_name(span.name);
  to->set_kind(span.is_server ? otlp::Span::SPAN_KIND_SERVER : otlp::Span::SPAN_KIND_INTERNAL);
  to->set_start_time_unix_nano(Nanoseconds(span.begin));
  to->set_end_time_unix_nano(Nanoseconds(span.end));
  for (const auto& [key, value] : span.attributes) AddAttribute(key, value, to->add_attributes());
  for (const auto& [name, time] : span.events) {
    auto* event = to->add_events();
    event->set_name(name);
    event->set_time_unix_nano(Nanoseconds(time));
  }
  for (const SpanContext& context : span.links) {
    auto* link = to->add_links();
    SetBytes(context.trace, link->mutable_trace_id());
    SetBytes(context.span, link->mutable_span_id());
  }
  if (!span.failed) return;
  to->mutable_status()->set_code(otlp::Status::STATUS_CODE_ERROR);
  to->mutable_status()->set_message(Utf8Text(span.failure));
}

// What a collector may answer otherwise a little later, by OTLP's specification.
bool MayRetry(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct OtlpExporter::Client {
  explicit Client(const OtlpCollector& collector)
      : stub(otlp::TraceService::NewStub(
            grpc::CreateChannel(collector.endpoint, CredentialsFor(collector)))) {}

  static std::shared_ptr<grpc::ChannelCredentials> CredentialsFor(const OtlpCollector& collector) {
    if (collector.authorities.empty()) return grpc::InsecureChannelCredentials();
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = collector.authorities;
    return grpc::SslCredentials(options);
  }

  const std::unique_ptr<otlp::TraceService::Stub> stub;
};

OtlpExporter::OtlpExporter(const OtlpCollector& collector,
                           std::vector<std::pair<std::string, std::string>> resource,
                           SpanQueue* queue)
    : endpoint_(collector.endpoint),
      resource_(std::move(resource)),
      queue_(queue),
      client_(std::make_unique<Client>(collector)),
      thread_([this] { Loop(); }) {}

OtlpExporter::~OtlpExporter() {
  queue_->Close();
  {
    MutexLock lock(&mutex_);
    stop_ = true;
    stopped_.SignalAll();
  }
  thread_.join();
}

void OtlpExporter::Loop() {
  while (true) {
    // Closed before, what is taken now is the last.
    const bool last = queue_->closed();
    const std::vector<Span> spans =
        queue_->Take(last ? static_cast<size_t>(queue_->size()) : kBatchSpans, kBatchDelay);
    if (!spans.empty()) Send(spans);
    if (last) return;
  }
}

void OtlpExporter::Send(const std::vector<Span>& spans) {
  otlp::ExportTraceServiceRequest request;
  auto* from = request.add_resource_spans();
  for (const auto& [key, value] : resource_) {
    AddAttribute(key, value, from->mutable_resource()->add_attributes());
  }
  auto* scope = from->add_scope_spans();
  scope->mutable_scope()->set_name("inferd");
  for (const Span& span : spans) Convert(span, scope->add_spans());

  const int64_t count = static_cast<int64_t>(spans.size());
  grpc::Status status;
  absl::Duration pause = kFirstPause;
  for (int tries = 1; tries <= kMaxTries; ++tries, pause *= 2) {
    grpc::ClientContext context;
    const auto timeout = queue_->closed() ? kLastCallTimeout : kCallTimeout;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    otlp::ExportTraceServiceResponse response;
    status = client_->stub->Export(&context, request, &response);
    if (status.ok()) {
      const int64_t rejected = response.partial_success().rejected_spans();
      queue_->CountDropped(rejected);
      exported_.fetch_add(count - rejected, std::memory_order_relaxed);
      if (failing_) LogInfo(absl::StrCat("traces go to ", endpoint_, " again"));
      failing_ = false;
      return;
    }
    if (!MayRetry(status.error_code()) || tries == kMaxTries || !Pause(pause)) break;
  }
  queue_->CountDropped(count);
  if (!failing_) {
    LogWarning(absl::StrCat("traces are dropped: ", endpoint_,
                            " does not take them: ", status.error_message()));
  }
  failing_ = true;
}

bool OtlpExporter::Pause(absl::Duration time) {
  const absl::Time until = absl::Now() + time;
  MutexLock lock(&mutex_);
  while (!stop_) {
    const absl::Duration left = until - absl::Now();
    if (left <= absl::ZeroDuration()) return true;
    stopped_.WaitFor(&mutex_, left);
  }
  return false;
}

}  // namespace inferd
