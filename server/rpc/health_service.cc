#include "server/rpc/health_service.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/health_calls.h"

namespace inferd {
namespace {

constexpr size_t kMaxWatchers = 10000;

}  // namespace

// One Watch: at most one message is being written; of several changes meanwhile only the last is
// sent. Deletes itself in OnDone(). Thread-safe.
class HealthService::Watcher final : public grpc::ServerWriteReactor<Response> {
 public:
  Watcher(HealthService* service, std::string name) : service_(service), name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  void Tell(Response::ServingStatus status) {
    MutexLock lock(&mutex_);
    wanted_ = status;
    WriteIfChanged();
  }

  void End(const grpc::Status& status) {
    MutexLock lock(&mutex_);
    if (!end_) end_ = status;
    WriteIfChanged();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok && !end_) end_ = grpc::Status::CANCELLED;
    WriteIfChanged();
  }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override {
    service_->Forget(this);
    delete this;
  }

 private:
  void WriteIfChanged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (end_) {
      finished_ = true;
      Finish(*end_);
      return;
    }
    if (wanted_ == sent_) return;
    sent_ = wanted_;
    message_.set_status(*sent_);
    writing_ = true;
    StartWrite(&message_);
  }

  HealthService* const service_;
  const std::string name_;
  Mutex mutex_;
  std::optional<Response::ServingStatus> wanted_ ABSL_GUARDED_BY(mutex_);
  std::optional<Response::ServingStatus> sent_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  Response message_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

grpc::health::v1::HealthCheckResponse::ServingStatus HealthService::StatusOf(
    const std::string& name) const {
  return HealthStatus(state_, repository_, name);
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const Request* request, Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status access = access_.Check(*context, ApiCategory::kHealth);
  if (!access.ok()) {
    reactor->Finish(ToGrpcStatus(access));
    return reactor;
  }
  const Response::ServingStatus status = StatusOf(request->service());
  if (status == Response::SERVICE_UNKNOWN) {
    reactor->Finish(ToGrpcStatus(
        absl::NotFoundError(absl::StrCat("no model '", request->service().substr(0, 128),
                                         "'; other names are '' (ready) and 'liveness'"))));
    return reactor;
  }
  response->set_status(status);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext* context, const Request* request) {
  auto* watcher = new Watcher(this, request->service());
  const absl::Status access = access_.Check(*context, ApiCategory::kHealth);
  if (!access.ok()) {
    watcher->End(ToGrpcStatus(access));
    return watcher;
  }
  // Under the lock, so that no change falls between the first status and the registration.
  MutexLock lock(&mutex_);
  if (ended_ || watchers_.size() >= kMaxWatchers) {
    watcher->End(ToGrpcStatus(ended_ ? absl::UnavailableError("the server is shutting down")
                                     : absl::ResourceExhaustedError("too many health watches")));
    return watcher;
  }
  watchers_.insert(watcher);
  watcher->Tell(StatusOf(request->service()));
  return watcher;
}

void HealthService::Refresh() {
  MutexLock lock(&mutex_);
  for (Watcher* watcher : watchers_) watcher->Tell(StatusOf(watcher->name()));
}

void HealthService::EndWatches() {
  MutexLock lock(&mutex_);
  ended_ = true;
  for (Watcher* watcher : watchers_) {
    watcher->End(ToGrpcStatus(absl::UnavailableError("the server is shutting down")));
  }
}

void HealthService::Forget(Watcher* watcher) {
  MutexLock lock(&mutex_);
  watchers_.erase(watcher);
}

}  // namespace inferd
