#pragma once

#include <memory>

#include "server/rpc/call_access.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace inferd {

// gRPC's reflection, for tools that have no .proto files: as v1, or as v1alpha for older tools. Its
// calls are metadata calls. Owned by GrpcServer. Thread-safe.
std::unique_ptr<grpc::Service> MakeReflection(const CallAccess& access);
std::unique_ptr<grpc::Service> MakeReflectionV1Alpha(const CallAccess& access);

}  // namespace inferd
