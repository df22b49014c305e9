#include "server/http/http_server.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/http/http_session.h"

namespace inferd {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// After a failed accept, such as for want of file descriptors.
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

// The accepting socket and the threads. Used by its own threads after Run().
class HttpServer::Listener {
 public:
  Listener(const HttpServerOptions& options, HttpRoutes routes)
      : port_(std::make_shared<HttpPort>(options, std::move(routes))),
        context_(options.threads),
        acceptor_(context_),
        pause_(context_) {}

  ~Listener() {
    {
      MutexLock lock(&port_->mutex);
      port_->stopped = true;
    }
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
    std::set<std::shared_ptr<HttpSession>> waiting;
    {
      MutexLock lock(&port_->mutex);
      waiting.swap(port_->waiting);
    }
    // They go before the context that their sockets belong to.
    waiting.clear();
  }

  absl::Status Open() {
    error_code error;
    tcp::resolver resolver(context_);
    const auto found =
        resolver.resolve(port_->options.address, std::to_string(port_->options.port), error);
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
  int connections() const { return port_->connections; }

  void Run() {
    Accept();
    for (int i = 0; i < port_->options.threads; ++i) {
      threads_.emplace_back([this] { context_.run(); });
    }
  }

 private:
  absl::Status Failure(const char* what, error_code error) const {
    return absl::UnavailableError(absl::StrCat("cannot listen for HTTP on ", port_->options.address,
                                               ":", port_->options.port, ": cannot ", what, ": ",
                                               error.message()));
  }

  void Accept() {
    acceptor_.async_accept(
        asio::make_strand(context_), [this](error_code error, tcp::socket socket) {
          if (error == asio::error::operation_aborted) return;
          if (error) return AcceptLater();
          const auto executor = socket.get_executor();
          asio::dispatch(executor, [session = std::make_shared<HttpSession>(
                                        std::move(socket), port_)] { session->Run(); });
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
  const std::shared_ptr<HttpPort> port_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::vector<std::thread> threads_;
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

int HttpServer::connections() const { return listener_->connections(); }

}  // namespace inferd
