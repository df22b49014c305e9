#pragma once

#include "absl/functional/any_invocable.h"
#include "engine/core/mutex.h"
#include "server/http/http_message.h"

namespace inferd {

// One request on its way to its reply, which may come from any thread. Made by the server, kept by
// whoever answers; destroyed unanswered it answers 500. Thread-safe, except request().
class HttpCall {
 public:
  using MakeReply = absl::AnyInvocable<HttpReply()>;
  // Runs what it is given on a thread of the server and sends the reply; drops it when the
  // connection is gone.
  using Send = absl::AnyInvocable<void(MakeReply make)>;

  HttpCall(HttpRequest request, Send send) : request_(std::move(request)), send_(std::move(send)) {}
  ~HttpCall();
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;

  // Used by one thread at a time.
  HttpRequest& request() { return request_; }

  // Answers; only the first answer counts.
  void Reply(HttpReply reply);
  // The same with a reply that is made on a thread of the server: encoding a large one must not
  // keep a core slot.
  void ReplyWith(MakeReply make);
  bool answered() const;

  // `told` is called once if the client goes away before the reply: at once if it is gone.
  void WhenGone(absl::AnyInvocable<void()> told);
  // The client went away.
  void ClientGone();

 private:
  HttpRequest request_;
  mutable Mutex mutex_;
  Send send_ ABSL_GUARDED_BY(mutex_);
  absl::AnyInvocable<void()> told_ ABSL_GUARDED_BY(mutex_);
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace inferd
