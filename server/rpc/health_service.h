#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "engine/core/mutex.h"
#include "proto/health.grpc.pb.h"
#include "server/repository/model_repository.h"
#include "server/rpc/call_access.h"
#include "server/rpc/serving_state.h"

namespace inferd {

// grpc.health.v1: Check answers the status of a name now, Watch also each change of it. Owned by
// GrpcServer. Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // Both outlive the service.
  HealthService(const ModelRepository* repository, const ServingState* state,
                const CallAccess& access)
      : repository_(*repository), state_(*state), access_(access) {}

  // Looks at every watched name again and tells the watchers what changed.
  void Refresh();
  // Ends every Watch with UNAVAILABLE, and each later one at once. Call before gRPC's shutdown.
  void EndWatches();

 private:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;
  class Watcher;

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override;
  grpc::ServerWriteReactor<Response>* Watch(grpc::CallbackServerContext* context,
                                            const Request* request) override;

  Response::ServingStatus StatusOf(const std::string& name) const;
  void Forget(Watcher* watcher);

  const ModelRepository& repository_;
  const ServingState& state_;
  const CallAccess access_;
  // Taken before a watcher's own lock.
  Mutex mutex_;
  absl::flat_hash_set<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace inferd
