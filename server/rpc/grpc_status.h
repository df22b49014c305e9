#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace inferd {

// The one mapping of our statuses to gRPC's: codes are the same, messages are cut to what fits into
// the headers of a reply.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace inferd
