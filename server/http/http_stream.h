#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace inferd {

// A connection's bytes, with or without TLS. Deadlines are those of the TCP stream below. Used on
// its strand.
class HttpStream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  // Without `context`: plain.
  HttpStream(boost::asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> context)
      : tcp_(std::move(socket)) {
    if (context == nullptr) return;
    // Takes one reference of the context, as SSL_new takes another.
    SSL_CTX_up_ref(context.get());
    boost::asio::ssl::context holder(context.get());
    tls_.emplace(tcp_, holder);
  }

  bool is_tls() const { return tls_.has_value(); }
  boost::beast::tcp_stream& tcp() { return tcp_; }
  // Of a TLS stream.
  SSL* ssl() { return tls_->native_handle(); }
  executor_type get_executor() { return tcp_.get_executor(); }

  template <typename Handler>
  void AsyncHandshake(Handler&& handler) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Handler>(handler));
  }
  template <typename Handler>
  void AsyncShutdown(Handler&& handler) {
    tls_->async_shutdown(std::forward<Handler>(handler));
  }

  // What Beast and Asio ask of a stream.
  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_read_some(buffers, std::forward<Handler>(handler));
    } else {
      tcp_.async_read_some(buffers, std::forward<Handler>(handler));
    }
  }
  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_write_some(buffers, std::forward<Handler>(handler));
    } else {
      tcp_.async_write_some(buffers, std::forward<Handler>(handler));
    }
  }

 private:
  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace inferd
