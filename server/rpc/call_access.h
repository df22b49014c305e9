#pragma once

#include <grpcpp/server_context.h>

#include "absl/status/status.h"
#include "server/access/access_control.h"

namespace inferd {

// Who may call a gRPC port. A value type.
struct CallAccess {
  const AccessControl* control = nullptr;  // null: everybody; outlives the port
  bool plaintext = true;                   // the port has no TLS

  // Codes as of AccessRules::Check. Takes nothing, and no time, where everybody may call.
  absl::Status Check(const grpc::CallbackServerContext& context, ApiCategory category) const {
    return control == nullptr ? absl::OkStatus() : CheckCaller(context, category);
  }

 private:
  absl::Status CheckCaller(const grpc::CallbackServerContext& context, ApiCategory category) const;
};

}  // namespace inferd
