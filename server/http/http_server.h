#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/http/http_routes.h"

namespace inferd {

// How one HTTP port is served. A value type.
struct HttpServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0 = any free one
  int64_t max_header_bytes = 16 << 10;
  int64_t max_body_bytes = 64 << 10;
  // Connections beyond it get 503 and are closed.
  int max_connections = 1024;
  // A request must have come, and a reply have gone, within this time; then the connection ends.
  absl::Duration timeout = absl::Seconds(30);
};

// An HTTP/1.1 port: asynchronous, with one thread, keep-alive and bounds on everything a client
// sends. Bad requests get 400, 413 or 431. Thread-safe.
class HttpServer {
 public:
  // Listens and serves `routes` until destroyed. UNAVAILABLE when the port cannot be had.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                           HttpRoutes routes);
  // Closes all connections and joins the thread.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port that it listens on.
  int port() const { return port_; }

 private:
  class Listener;
  explicit HttpServer(std::unique_ptr<Listener> listener);

  const std::unique_ptr<Listener> listener_;
  const int port_;
};

}  // namespace inferd
