#include "server/rpc/wire_request.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "engine/core/status_macros.h"
#include "server/rpc/request_scan.h"

namespace inferd {

absl::Status WireRequest::Parse(grpc::ByteBuffer* bytes, InflightCharge* charge) {
  const int64_t wire_bytes = static_cast<int64_t>(bytes->Length());
  {
    grpc::ProtoBufferReader reader(bytes);
    ASSIGN_OR_RETURN(parsed_bytes_, ScanRequest(&reader));
  }
  RETURN_IF_ERROR(charge->Add(wire_bytes + parsed_bytes_));
  entry_ = pool_.Take();
  grpc::ProtoBufferReader reader(bytes);
  if (!entry_->message.ParseFromZeroCopyStream(&reader)) {
    return absl::InvalidArgumentError("the request is not a ModelInferRequest message");
  }
  bytes->Clear();
  charge->Set(parsed_bytes_);
  return absl::OkStatus();
}

void WireRequest::Release() {
  if (entry_ != nullptr) pool_.Give(std::move(entry_), parsed_bytes_);
}

}  // namespace inferd
