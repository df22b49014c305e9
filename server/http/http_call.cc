#include "server/http/http_call.h"

#include <utility>

namespace inferd {

HttpCall::~HttpCall() { Reply(HttpError(500, "the request was dropped")); }

void HttpCall::Reply(HttpReply reply) {
  ReplyWith([reply = std::move(reply)]() mutable { return std::move(reply); });
}

void HttpCall::ReplyWith(MakeReply make) {
  Send send;
  absl::AnyInvocable<void()> told;
  {
    MutexLock lock(&mutex_);
    if (answered_) return;
    answered_ = true;
    send = std::move(send_);
    told = std::move(told_);
  }
  send(std::move(make));
}

bool HttpCall::answered() const {
  MutexLock lock(&mutex_);
  return answered_;
}

void HttpCall::WhenGone(absl::AnyInvocable<void()> told) {
  {
    MutexLock lock(&mutex_);
    if (answered_) return;
    if (!gone_) {
      told_ = std::move(told);
      return;
    }
  }
  told();
}

void HttpCall::ClientGone() {
  absl::AnyInvocable<void()> told;
  {
    MutexLock lock(&mutex_);
    if (gone_ || answered_) return;
    gone_ = true;
    told = std::move(told_);
  }
  if (told) told();
}

}  // namespace inferd
