#pragma once

#include <grpcpp/server_context.h>

#include "absl/status/status.h"
#include "server/access/access_control.h"
#include "server/metrics/access_log.h"

namespace inferd {

// Who may call a gRPC port. A value type; what it points to outlives the port.
struct CallAccess {
  const AccessControl* control = nullptr;  // null: everybody
  bool plaintext = true;                   // the port has no TLS
  AccessLog* log = nullptr;                // of refused calls, too; null: none

  // Codes as of AccessRules::Check; a refusal has its line in the log, the category as its method.
  // Takes nothing, and no time, where everybody may call.
  absl::Status Check(const grpc::CallbackServerContext& context, ApiCategory category) const {
    return control == nullptr ? absl::OkStatus() : CheckCaller(context, category);
  }

 private:
  absl::Status CheckCaller(const grpc::CallbackServerContext& context, ApiCategory category) const;
  absl::Status Decide(const grpc::CallbackServerContext& context, ApiCategory category) const;
};

}  // namespace inferd
