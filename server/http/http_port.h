#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "engine/core/mutex.h"
#include "server/http/http_access.h"
#include "server/http/http_routes.h"
#include "server/metrics/access_log.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

class HttpSession;

// How one HTTP port is served. A value type.
struct HttpServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0 = any free one
  // Threads that read, parse and write. With one, a large body holds up the others.
  int threads = 1;
  int64_t max_header_bytes = 16 << 10;
  // Of a request's body, before and after decompression.
  int64_t max_body_bytes = 64 << 10;
  // Connections beyond it get 503 and are closed.
  int max_connections = 1024;
  // A request's header must have come within this time. Body and reply may take as long, and longer
  // while they pass at least `least_bytes_per_second`; then the connection ends.
  absl::Duration timeout = absl::Seconds(30);
  int64_t least_bytes_per_second = 64 << 10;
  // How long a connection may wait between two requests.
  absl::Duration idle_timeout = absl::Minutes(2);
  // Counts the memory of bodies; null = nobody counts it.
  InflightBytes* inflight = nullptr;
  // Null: without TLS.
  const CertificateWatcher* certificates = nullptr;
  // Null: everybody may call.
  const AccessControl* access = nullptr;
  // Of requests that are refused before they reach their route; null: none.
  AccessLog* access_log = nullptr;
};

// What the sessions of a port share; it outlives them. Thread-safe.
struct HttpPort {
  HttpPort(HttpServerOptions given_options, HttpRoutes given_routes)
      : options(std::move(given_options)),
        routes(std::move(given_routes)),
        tls(options.certificates) {}

  const HttpServerOptions options;
  const HttpRoutes routes;
  HttpTlsContext tls;
  std::atomic<int> connections{0};
  Mutex mutex;
  // Replies come to nothing from now on.
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  // Those that wait for a reply: nothing else keeps them alive.
  std::set<std::shared_ptr<HttpSession>> waiting ABSL_GUARDED_BY(mutex);
};

}  // namespace inferd
