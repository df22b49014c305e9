#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "server/http/http_port.h"
#include "server/http/http_routes.h"

namespace inferd {

// An HTTP/1.1 port: asynchronous, with keep-alive, compression both ways and bounds on everything a
// client sends. What it cannot read gets 400, 413, 415, 417 or 431. Thread-safe.
class HttpServer {
 public:
  // Listens and serves `routes` until destroyed. UNAVAILABLE when the port cannot be had.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                           HttpRoutes routes);
  // Closes all connections and joins the threads; replies that come later are dropped.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port that it listens on.
  int port() const { return port_; }
  // Those that are open now.
  int connections() const;

 private:
  class Listener;
  explicit HttpServer(std::unique_ptr<Listener> listener);

  const std::unique_ptr<Listener> listener_;
  const int port_;
};

}  // namespace inferd
