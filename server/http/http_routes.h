#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/access/api_category.h"
#include "server/http/http_call.h"
#include "server/http/http_message.h"

namespace inferd {

// Which function answers which path. Immutable once it serves.
class HttpRoutes {
 public:
  // Answers at once.
  using Handler = std::function<HttpReply(const HttpRequest& request)>;
  // Answers when it can, from any thread.
  using AsyncHandler = std::function<void(std::shared_ptr<HttpCall> call)>;

  struct Route {
    ApiCategory category;  // who may use it is decided by this
    std::string method;
    std::vector<std::string> segments;
    AsyncHandler handler;
  };
  // The route of a request, or why there is none.
  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> captures;
    HttpReply refusal;  // where `route` is null
  };

  // `pattern` is a path such as "/v2/models/*/ready"; "*" is one segment of any text. A handler for
  // GET answers HEAD, too. Handlers run on the server's threads: they must not block, and must be
  // thread-safe.
  void Add(ApiCategory category, std::string method, absl::string_view pattern, Handler handler);
  void AddAsync(ApiCategory category, std::string method, absl::string_view pattern,
                AsyncHandler handler);

  // Refusals: 400 for a path that cannot be decoded, 404 for an unknown one, 405 for another method
  // than those of the path.
  Match Find(absl::string_view method, absl::string_view target) const;

 private:
  std::vector<Route> routes_;
};

// The segments of a request target's path, each percent-decoded. INVALID_ARGUMENT for a target that
// does not begin with '/', and for a broken escape.
absl::StatusOr<std::vector<std::string>> PathSegments(absl::string_view target);

}  // namespace inferd
