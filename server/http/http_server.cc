#include "server/http/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// After a failed accept, such as for want of file descriptors.
constexpr std::chrono::milliseconds kAcceptPause{100};

// What the sessions of a port share; its thread alone touches it.
struct Shared {
  HttpServerOptions options;
  HttpRoutes routes;
  int connections = 0;
};

std::string ToText(beast::string_view text) { return std::string(text.data(), text.size()); }

// The reply to a request that could not be read; none when the client is just gone.
std::optional<HttpReply> ReplyToBadRequest(error_code error) {
  if (error == http::error::body_limit) return HttpError(413, "the body is too large");
  if (error == http::error::header_limit) return HttpError(431, "the header is too large");
  const bool from_parser = error.category() == make_error_code(http::error::bad_method).category();
  if (!from_parser || error == http::error::end_of_stream ||
      error == http::error::partial_message) {
    return std::nullopt;
  }
  return HttpError(400, absl::StrCat("bad request: ", error.message()));
}

// One connection: reads a request, answers it, reads the next. Kept alive by its own callbacks.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)), stream_(std::move(socket)) {
    ++shared_->connections;
  }
  ~Session() { --shared_->connections; }

  void Run() {
    if (shared_->connections > shared_->options.max_connections) {
      keep_alive_ = false;
      Write(HttpError(503, "too many connections"), false);
      return;
    }
    Read();
  }

 private:
  void Read() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_->options.max_header_bytes));
    parser_->body_limit(static_cast<uint64_t>(shared_->options.max_body_bytes));
    SetTimeout();
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }

  void OnRead(error_code error) {
    if (error) {
      const std::optional<HttpReply> reply = ReplyToBadRequest(error);
      keep_alive_ = false;
      if (reply) Write(*reply, false);
      return;
    }
    http::request<http::string_body> message = parser_->release();
    keep_alive_ = message.keep_alive();
    HttpRequest request;
    request.method = ToText(message.method_string());
    request.target = ToText(message.target());
    request.body = std::move(message.body());
    const bool is_head = request.method == "HEAD";
    Write(shared_->routes.Answer(std::move(request)), is_head);
  }

  void Write(HttpReply reply, bool without_body) {
    response_ = {};
    response_.result(static_cast<unsigned>(reply.code));
    response_.version(11);
    response_.keep_alive(keep_alive_);
    response_.set(http::field::server, "inferd");
    response_.set(http::field::content_type, reply.content_type);
    response_.content_length(reply.body.size());
    if (!without_body) response_.body() = std::move(reply.body);
    SetTimeout();
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, size_t) {
      self->OnWritten(error);
    });
  }

  void OnWritten(error_code error) {
    if (error) return;
    if (keep_alive_) return Read();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  void SetTimeout() { stream_.expires_after(absl::ToChronoMilliseconds(shared_->options.timeout)); }

  const std::shared_ptr<Shared> shared_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  bool keep_alive_ = true;
};

}  // namespace

// The accepting socket and the thread. Used by its own thread after Run().
class HttpServer::Listener {
 public:
  Listener(const HttpServerOptions& options, HttpRoutes routes)
      : shared_(std::make_shared<Shared>(Shared{options, std::move(routes)})),
        acceptor_(context_),
        pause_(context_) {}

  ~Listener() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Open() {
    error_code error;
    tcp::resolver resolver(context_);
    const auto found =
        resolver.resolve(shared_->options.address, std::to_string(shared_->options.port), error);
    if (error || found.empty()) return Failure("find the address", error);
    const tcp::endpoint endpoint = *found.begin();
    if (acceptor_.open(endpoint.protocol(), error); error) return Failure("open a socket", error);
    // So that a restart need not wait for the last connections of the process before.
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (acceptor_.bind(endpoint, error); error) return Failure("bind", error);
    if (acceptor_.listen(asio::socket_base::max_listen_connections, error); error) {
      return Failure("listen", error);
    }
    return absl::OkStatus();
  }

  int port() const { return acceptor_.local_endpoint().port(); }

  void Run() {
    Accept();
    thread_ = std::thread([this] { context_.run(); });
  }

 private:
  absl::Status Failure(const char* what, error_code error) const {
    return absl::UnavailableError(absl::StrCat("cannot listen for HTTP on ",
                                               shared_->options.address, ":", shared_->options.port,
                                               ": cannot ", what, ": ", error.message()));
  }

  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return AcceptLater();
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Session>(std::move(socket), shared_)->Run();
      Accept();
    });
  }

  void AcceptLater() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](error_code error) {
      if (!error) Accept();
    });
  }

  // The sessions, which the context owns, point to it.
  const std::shared_ptr<Shared> shared_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                              HttpRoutes routes) {
  auto listener = std::make_unique<Listener>(options, std::move(routes));
  if (const absl::Status opened = listener->Open(); !opened.ok()) return opened;
  listener->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
}

HttpServer::HttpServer(std::unique_ptr<Listener> listener)
    : listener_(std::move(listener)), port_(listener_->port()) {}

HttpServer::~HttpServer() = default;

}  // namespace inferd
