#include "server/http/http_routes.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(digit));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

absl::StatusOr<std::string> PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError("the path has a '%' without two hexadecimal digits");
    }
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

// True when `path` fits `pattern`; what its "*" stand for goes to `captures`.
bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
             std::vector<std::string>* captures) {
  if (pattern.size() != path.size()) return false;
  captures->clear();
  for (size_t i = 0; i < path.size(); ++i) {
    if (pattern[i] == "*") {
      captures->push_back(path[i]);
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> PathSegments(absl::string_view target) {
  const absl::string_view path = target.substr(0, target.find_first_of("?#"));
  if (path.empty() || path[0] != '/') {
    return absl::InvalidArgumentError("the request target is no path that begins with '/'");
  }
  std::vector<std::string> segments;
  for (const absl::string_view segment : absl::StrSplit(path.substr(1), '/')) {
    ASSIGN_OR_RETURN(std::string decoded, PercentDecoded(segment));
    segments.push_back(std::move(decoded));
  }
  return segments;
}

void HttpRoutes::Add(ApiCategory category, std::string method, absl::string_view pattern,
                     Handler handler) {
  AddAsync(category, std::move(method), pattern,
           [handler = std::move(handler)](const std::shared_ptr<HttpCall>& call) {
             call->Reply(handler(call->request()));
           });
}

void HttpRoutes::AddAsync(ApiCategory category, std::string method, absl::string_view pattern,
                          AsyncHandler handler) {
  routes_.push_back(
      {category, std::move(method), absl::StrSplit(pattern.substr(1), '/'), std::move(handler)});
}

HttpRoutes::Match HttpRoutes::Find(absl::string_view method, absl::string_view target) const {
  Match match;
  const absl::StatusOr<std::vector<std::string>> path = PathSegments(target);
  if (!path.ok()) {
    match.refusal = HttpError(path.status());
    return match;
  }
  const absl::string_view wanted = method == "HEAD" ? "GET" : method;
  std::vector<std::string> allowed;
  for (const Route& route : routes_) {
    if (!Matches(route.segments, *path, &match.captures)) continue;
    if (route.method == wanted) {
      match.route = &route;
      return match;
    }
    allowed.push_back(route.method);
  }
  if (allowed.empty()) {
    match.refusal = HttpError(404, absl::StrCat("nothing at ", target.substr(0, 256)));
  } else {
    match.refusal = HttpError(405, "the path does not take this method");
    match.refusal.headers.emplace_back("Allow", absl::StrJoin(allowed, ", "));
  }
  return match;
}

}  // namespace inferd
