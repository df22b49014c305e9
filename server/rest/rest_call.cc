#include "server/rest/rest_call.h"

#include <utility>

namespace inferd {

std::shared_ptr<void> EnterCall(ServingState* state) {
  if (!state->Enter()) return nullptr;
  return std::shared_ptr<void>(state, [state](void*) { state->Leave(); });
}

HttpReply RefusedReply() {
  HttpReply reply = HttpError(absl::UnavailableError("the server is shutting down"));
  reply.close = true;
  return reply;
}

HttpReply JsonReply(std::string body) {
  HttpReply reply;
  reply.content_type = "application/json";
  reply.body = std::move(body);
  return reply;
}

HttpRoutes::Handler JsonHandler(
    ServingState* state,
    std::function<absl::StatusOr<std::string>(const HttpRequest& request)> answer) {
  return [state, answer = std::move(answer)](const HttpRequest& request) {
    std::shared_ptr<void> counted = EnterCall(state);
    if (counted == nullptr) return RefusedReply();
    absl::StatusOr<std::string> body = answer(request);
    HttpReply reply = body.ok() ? JsonReply(*std::move(body)) : HttpError(body.status());
    reply.held = std::move(counted);
    return reply;
  };
}

}  // namespace inferd
