#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inferd {

// A request without its connection. A value type.
struct HttpRequest {
  std::string method;  // "GET", "HEAD", ...
  std::string target;  // as sent: path and query
  std::string body;
  // The decoded segments that the route's "*" stand for, in order.
  std::vector<std::string> captures;
};

// A value type.
struct HttpReply {
  int code = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// A reply with {"error": message}.
HttpReply HttpError(int code, absl::string_view message);

// Which function answers which path. Immutable once it serves.
class HttpRoutes {
 public:
  using Handler = std::function<HttpReply(const HttpRequest& request)>;

  // `pattern` is a path such as "/v2/models/*/ready"; "*" is one segment of any text. A handler for
  // GET answers HEAD, too. Handlers run on the server's thread: they must not block, and must be
  // thread-safe where several servers share them.
  void Add(std::string method, absl::string_view pattern, Handler handler);

  // Answers `request`: 400 for a path that cannot be decoded, 404 for an unknown one, 405 for
  // another method than those of the path.
  HttpReply Answer(HttpRequest request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

// The segments of a request target's path, each percent-decoded. INVALID_ARGUMENT for a target that
// does not begin with '/', and for a broken escape.
absl::StatusOr<std::vector<std::string>> PathSegments(absl::string_view target);

}  // namespace inferd
