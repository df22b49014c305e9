#include "server/http/http_session.h"

#include <poll.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace inferd {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kReadBytes = 64 << 10;
constexpr int64_t kFirstBodyBytes = 64 << 10;
constexpr uint64_t kReservedBodyBytes = 1 << 20;
// Smaller replies gain nothing from compression.
constexpr size_t kLeastCompressedBytes = 1024;
constexpr std::chrono::seconds kLingerTime{2};
// From one look at a connection with unread bytes to the next.
constexpr std::chrono::milliseconds kWatchInterval{100};
constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";

std::string ToText(beast::string_view text) { return std::string(text.data(), text.size()); }

HttpReply TooLarge(const HttpServerOptions& options) {
  return HttpError(
      413, absl::StrCat("the body is too large: at most ", options.max_body_bytes, " bytes"));
}

// The reply to a request that could not be read; none when the client is just gone.
std::optional<HttpReply> ReplyToBadRequest(error_code error, const HttpServerOptions& options) {
  if (error == http::error::body_limit) return TooLarge(options);
  if (error == http::error::header_limit) return HttpError(431, "the header is too large");
  const bool from_parser = error.category() == make_error_code(http::error::bad_method).category();
  if (!from_parser || error == http::error::end_of_stream ||
      error == http::error::partial_message) {
    return std::nullopt;
  }
  return HttpError(400, absl::StrCat("bad request: ", error.message()));
}

}  // namespace

HttpSession::HttpSession(tcp::socket socket, std::shared_ptr<HttpPort> port)
    : port_(std::move(port)),
      stream_(std::move(socket), port_->tls.Current()),
      watch_timer_(stream_.get_executor()),
      buffer_(static_cast<size_t>(port_->options.max_header_bytes) + 2 * kReadBytes) {
  ++port_->connections;
}

HttpSession::~HttpSession() { --port_->connections; }

void HttpSession::Run() {
  error_code ignored;
  stream_.tcp().socket().set_option(tcp::no_delay(true), ignored);
  stream_.tcp().socket().non_blocking(true, ignored);
  const tcp::endpoint client = stream_.tcp().socket().remote_endpoint(ignored);
  address_ =
      absl::StrCat(client.address().is_v6() ? "ipv6:[" : "ipv4:", client.address().to_string(),
                   client.address().is_v6() ? "]:" : ":", client.port());
  start_ = Clock::now();
  if (port_->connections > port_->options.max_connections) {
    // Saying so is not worth a handshake.
    if (stream_.is_tls()) return Close();
    return Refuse(HttpError(503, "too many connections"));
  }
  SetDeadline(0);
  if (stream_.is_tls()) return Handshake();
  ReadHeader();
}

void HttpSession::Handshake() {
  stream_.AsyncHandshake([self = shared_from_this()](error_code error) {
    if (error) return self->Close();
    self->peer_ = PeerNamesOf(self->stream_.ssl());
    self->ReadHeader();
  });
}

void HttpSession::ReadNext() {
  if (buffer_.size() > 0) {
    start_ = Clock::now();
    SetDeadline(0);
    return ReadHeader();
  }
  // An idle connection keeps no memory.
  buffer_.shrink_to_fit();
  stream_.tcp().expires_after(absl::ToChronoMilliseconds(port_->options.idle_timeout));
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](error_code error, size_t bytes) {
                            if (error) return self->Close();
                            self->buffer_.commit(bytes);
                            self->ReadNext();
                          });
}

void HttpSession::ReadHeader() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(port_->options.max_header_bytes));
  parser_->body_limit(static_cast<uint64_t>(port_->options.max_body_bytes));
  request_ = HttpRequest();
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->OnHeader(error); });
}

void HttpSession::OnHeader(error_code error) {
  if (error) {
    unread_ = true;
    return Fail(error);
  }
  TakeHeader();
}

void HttpSession::TakeHeader() {
  const auto& header = parser_->get();
  keep_alive_ = header.keep_alive();
  request_.method = ToText(header.method_string());
  request_.target = ToText(header.target());
  request_.peer = address_;
  for (const auto& field : header) {
    request_.headers.emplace_back(ToText(field.name_string()), ToText(field.value()));
  }
  without_body_ = request_.method == "HEAD";
  reply_coding_ = ChooseCoding(request_.Header("Accept-Encoding"));
  unread_ = !parser_->is_done();
  if (std::optional<HttpReply> refusal = RefusalOfHeader()) {
    // What follows need not be read to say so.
    if (unread_) return Refuse(*std::move(refusal));
    return AnswerRefusal(*std::move(refusal));
  }
  if (!unread_) return Dispatch();
  if (!request_.Header("Expect").empty()) return SendContinue();
  ReadBody();
}

std::optional<HttpReply> HttpSession::RefusalOfHeader() {
  const absl::string_view transfer = request_.Header("Transfer-Encoding");
  if (!transfer.empty() && !absl::EqualsIgnoreCase(transfer, "chunked")) {
    return HttpError(501, "Transfer-Encoding: expected chunked alone");
  }
  match_ = port_->routes.Find(request_.method, request_.target);
  if (match_.route == nullptr) return std::move(match_.refusal);
  if (std::optional<HttpReply> refusal = RefusalOfCaller(
          port_->options.access, match_.route->category, request_, peer_, !stream_.is_tls())) {
    return refusal;
  }
  const auto length = parser_->content_length();
  if (length && *length > static_cast<uint64_t>(port_->options.max_body_bytes)) {
    return TooLarge(port_->options);
  }
  const absl::string_view expect = request_.Header("Expect");
  if (!expect.empty() && !absl::EqualsIgnoreCase(expect, "100-continue")) {
    return HttpError(417, "Expect: only 100-continue can be met");
  }
  const auto coding = ParseContentEncoding(request_.Header("Content-Encoding"));
  if (!coding.ok()) return HttpError(415, coding.status().message());
  request_.captures = std::move(match_.captures);
  return std::nullopt;
}

void HttpSession::SendContinue() {
  asio::async_write(stream_, asio::buffer(kContinue, sizeof(kContinue) - 1),
                    [self = shared_from_this()](error_code error, size_t) {
                      if (error) return self->Close();
                      self->ReadBody();
                    });
}

void HttpSession::ReadBody() {
  if (request_.charge == nullptr && port_->options.inflight != nullptr) {
    request_.charge = std::make_unique<InflightCharge>(port_->options.inflight);
  }
  if (parser_->get().body().size == 0 && !GrowBody()) return;
  auto& room = parser_->get().body();
  room.data = request_.body.data() + body_bytes_;
  room.size = request_.body.size() - body_bytes_;
  room.more = true;
  SetDeadline(body_bytes_);
  if (buffer_.capacity() < kReadBytes) buffer_.reserve(kReadBytes);
  http::async_read_some(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->OnBody(error); });
}

void HttpSession::OnBody(error_code error) {
  if (error == http::error::need_buffer) error = {};
  if (error) return Fail(error);
  body_bytes_ = request_.body.size() - parser_->get().body().size;
  if (!parser_->is_done()) return ReadBody();
  unread_ = false;
  request_.body.resize(body_bytes_);
  if (request_.charge != nullptr) request_.charge->Set(static_cast<int64_t>(body_bytes_));
  Dispatch();
}

// The body's memory grows with what has come, so that a length alone takes none.
bool HttpSession::GrowBody() {
  const HttpServerOptions& options = port_->options;
  const auto size = static_cast<int64_t>(request_.body.size());
  int64_t next = std::max(kFirstBodyBytes, size + size / 2);
  if (const auto length = parser_->content_length()) {
    next = std::min(next, static_cast<int64_t>(*length));
    // Address space, that nothing need be copied; memory is taken as the bytes come.
    if (size == 0) request_.body.reserve(std::min(*length, kReservedBodyBytes));
  }
  // One byte more than may come, so that the parser sees what is too much.
  next = std::min(next, options.max_body_bytes + 1);
  if (request_.charge != nullptr) {
    const absl::Status admitted = request_.charge->Add(next - size);
    if (!admitted.ok()) {
      Refuse(HttpError(admitted));
      return false;
    }
  }
  request_.body.resize(next);
  return true;
}

std::optional<HttpReply> HttpSession::DecompressBody() {
  const auto coding = ParseContentEncoding(request_.Header("Content-Encoding"));
  if (*coding == ContentCoding::kIdentity) return std::nullopt;
  absl::StatusOr<std::string> body =
      Decompress(request_.body, *coding, port_->options.max_body_bytes, request_.charge.get());
  if (absl::IsOutOfRange(body.status())) return HttpError(413, body.status().message());
  if (!body.ok()) return HttpError(body.status());
  request_.body = *std::move(body);
  if (request_.charge != nullptr) {
    request_.charge->Set(static_cast<int64_t>(request_.body.size()));
  }
  return std::nullopt;
}

void HttpSession::Dispatch() {
  stream_.tcp().expires_never();
  if (std::optional<HttpReply> refusal = DecompressBody()) {
    return AnswerRefusal(*std::move(refusal));
  }
  awaiting_ = true;
  {
    MutexLock lock(&port_->mutex);
    port_->waiting.insert(shared_from_this());
  }
  auto call = std::make_shared<HttpCall>(
      std::move(request_),
      [port = port_, weak = weak_from_this()](HttpCall::MakeReply make) mutable {
        MutexLock lock(&port->mutex);
        if (port->stopped) return;
        if (std::shared_ptr<HttpSession> self = weak.lock()) {
          // The executor is fetched first: the lambda takes the pointer.
          const auto executor = self->stream_.get_executor();
          asio::post(executor, [self = std::move(self), make = std::move(make)]() mutable {
            self->Answer(make());
          });
        }
      });
  call_ = call;
  match_.route->handler(call);
  if (!call->answered()) Watch();
}

void HttpSession::Watch() {
  if (watching_) return;
  watching_ = true;
  stream_.tcp().socket().async_wait(
      tcp::socket::wait_read,
      [self = shared_from_this()](error_code error) { self->OnWatched(error); });
}

void HttpSession::OnWatched(error_code error) {
  watching_ = false;
  if (!awaiting_) return;
  pollfd socket = {stream_.tcp().socket().native_handle(), POLLRDHUP, 0};
  if (error || poll(&socket, 1, 0) != 0) {
    if (const std::shared_ptr<HttpCall> call = call_.lock()) call->ClientGone();
    return;
  }
  // Bytes of a next request, or of TLS: the end may come behind them, but nobody would tell.
  watching_ = true;
  watch_timer_.expires_after(kWatchInterval);
  watch_timer_.async_wait(
      [self = shared_from_this()](error_code timer_error) { self->OnWatched(timer_error); });
}

void HttpSession::Fail(error_code error) {
  std::optional<HttpReply> reply = ReplyToBadRequest(error, port_->options);
  if (!reply) return Close();
  Refuse(*std::move(reply));
}

void HttpSession::AnswerRefusal(HttpReply reply) {
  AccessLog* const log = port_->options.access_log;
  const absl::Time received = absl::Now() - absl::FromChrono(Clock::now() - start_);
  std::optional<AccessRecord> record =
      AccessLog::Begin(log, "HTTP", static_cast<int64_t>(body_bytes_), received);
  if (record) {
    record->peer = address_;
    log->End(StatusOfHttpCode(reply.code), static_cast<int64_t>(reply.body.size()),
             *std::move(record));
  }
  Answer(std::move(reply));
}

void HttpSession::Refuse(HttpReply reply) {
  reply.close = true;
  AnswerRefusal(std::move(reply));
}

void HttpSession::Answer(HttpReply reply) {
  if (awaiting_) {
    awaiting_ = false;
    MutexLock lock(&port_->mutex);
    port_->waiting.erase(shared_from_this());
  }
  request_ = HttpRequest();
  body_bytes_ = 0;
  if (reply.close) keep_alive_ = false;
  CompressReply(&reply);
  response_ = {};
  response_.result(static_cast<unsigned>(reply.code));
  response_.version(11);
  response_.keep_alive(keep_alive_);
  response_.set(http::field::server, "inferd");
  if (!reply.content_type.empty()) response_.set(http::field::content_type, reply.content_type);
  for (const auto& [name, value] : reply.headers) response_.set(name, value);
  response_.content_length(reply.body.size());
  if (!without_body_) response_.body() = std::move(reply.body);
  held_ = std::move(reply.held);
  serializer_.emplace(response_);
  written_bytes_ = 0;
  start_ = Clock::now();
  WriteSome();
}

void HttpSession::CompressReply(HttpReply* reply) const {
  if (reply->body.size() < kLeastCompressedBytes) return;
  reply->headers.emplace_back("Vary", "Accept-Encoding");
  if (reply_coding_ == ContentCoding::kIdentity) return;
  absl::StatusOr<std::string> body = Compress(reply->body, reply_coding_);
  // Uncompressed is right, too.
  if (!body.ok()) return;
  reply->body = *std::move(body);
  const absl::string_view name = ContentCodingName(reply_coding_);
  reply->headers.emplace_back("Content-Encoding", std::string(name.data(), name.size()));
}

void HttpSession::WriteSome() {
  SetDeadline(written_bytes_);
  http::async_write_some(stream_, *serializer_,
                         [self = shared_from_this()](error_code error, size_t bytes) {
                           if (error) return self->Close();
                           self->written_bytes_ += bytes;
                           if (!self->serializer_->is_done()) return self->WriteSome();
                           self->OnWritten();
                         });
}

void HttpSession::OnWritten() {
  serializer_.reset();
  response_ = {};
  held_.reset();
  if (keep_alive_) return ReadNext();
  if (stream_.is_tls()) {
    if (unread_) return Linger();
    stream_.tcp().expires_after(kLingerTime);
    return stream_.AsyncShutdown([self = shared_from_this()](error_code) { self->Close(); });
  }
  error_code ignored;
  stream_.tcp().socket().shutdown(tcp::socket::shutdown_send, ignored);
  if (!unread_) return Close();
  Linger();
}

void HttpSession::Linger() {
  buffer_.clear();
  stream_.tcp().expires_after(kLingerTime);
  Discard();
}

void HttpSession::Discard() {
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](error_code error, size_t) {
                            if (error) return self->Close();
                            self->Discard();
                          });
}

void HttpSession::Close() {
  held_.reset();
  // What still watches the socket must not keep it open.
  stream_.tcp().close();
}

void HttpSession::SetDeadline(size_t bytes) {
  const HttpServerOptions& options = port_->options;
  const double earned = static_cast<double>(bytes) / options.least_bytes_per_second;
  stream_.tcp().expires_at(start_ + std::chrono::duration_cast<Clock::duration>(
                                        absl::ToChronoMilliseconds(options.timeout) +
                                        std::chrono::duration<double>(earned)));
}

}  // namespace inferd
