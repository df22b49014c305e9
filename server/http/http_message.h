#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/rpc/inflight_bytes.h"

namespace inferd {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// A request without its connection. A value type that only moves.
struct HttpRequest {
  std::string method;  // "GET", "HEAD", ...
  std::string target;  // as sent: path and query
  std::string peer;    // whose connection it is, as "ipv4:127.0.0.1:40000"
  HttpHeaders headers;
  std::string body;  // decompressed
  // The decoded segments that the route's "*" stand for, in order.
  std::vector<std::string> captures;
  // What `body` takes of the memory for requests in flight; null where none is counted.
  std::unique_ptr<InflightCharge> charge;

  // The first header of that name, whatever its case; empty where there is none.
  absl::string_view Header(absl::string_view name) const;
};

// A value type.
struct HttpReply {
  int code = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  HttpHeaders headers;  // beside those that the server sets
  bool close = false;   // ends the connection afterwards
  // Let go when the reply has left or the connection is lost.
  std::shared_ptr<void> held;
};

// A reply with {"error": message}.
HttpReply HttpError(int code, absl::string_view message);

// The one mapping of our statuses to HTTP's; `status` is an error.
int HttpCode(absl::StatusCode code);
HttpReply HttpError(const absl::Status& status);
// The other way round, for logs: what the code of a refusal would be over gRPC.
absl::StatusCode StatusOfHttpCode(int code);

// Appends `text` as a JSON string. Bytes that are no UTF-8 become U+FFFD.
void AppendJsonString(absl::string_view text, std::string* out);

// The length of the UTF-8 character that `text` begins with; 0 when it begins with none.
size_t Utf8Length(absl::string_view text);

}  // namespace inferd
