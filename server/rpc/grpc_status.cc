#include "server/rpc/grpc_status.h"

#include <string>

namespace inferd {
namespace {

// gRPC percent-encodes messages and peers limit headers to 8 KiB: a third of that, less some room.
constexpr size_t kMaxMessageBytes = 2000;

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const absl::string_view message = status.message().substr(0, kMaxMessageBytes);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(message.data(), message.size()));
}

}  // namespace inferd
