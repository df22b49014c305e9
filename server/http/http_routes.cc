#include "server/http/http_routes.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
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

void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Not UTF-8 for sure: each byte is shown as the character of its number.
      absl::StrAppend(out, "\\u", absl::Hex(byte, absl::kZeroPad4));
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

}  // namespace

HttpReply HttpError(int code, absl::string_view message) {
  HttpReply reply{code, "application/json", "{\"error\":"};
  AppendJsonString(message, &reply.body);
  reply.body.append("}\n");
  return reply;
}

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

void HttpRoutes::Add(std::string method, absl::string_view pattern, Handler handler) {
  routes_.push_back(
      {std::move(method), absl::StrSplit(pattern.substr(1), '/'), std::move(handler)});
}

HttpReply HttpRoutes::Answer(HttpRequest request) const {
  const absl::StatusOr<std::vector<std::string>> path = PathSegments(request.target);
  if (!path.ok()) return HttpError(400, path.status().message());
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  bool other_method = false;
  for (const Route& route : routes_) {
    if (!Matches(route.segments, *path, &request.captures)) continue;
    if (route.method == method) return route.handler(request);
    other_method = true;
  }
  if (other_method) return HttpError(405, "the path does not take this method");
  return HttpError(404, absl::StrCat("nothing at ", request.target.substr(0, 256)));
}

}  // namespace inferd
