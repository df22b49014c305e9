#include "server/rpc/wire_request.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/rpc/inflated_bytes.h"
#include "server/rpc/request_scan.h"

namespace inferd {
namespace {

// ByteBuffer keeps to itself how its bytes are compressed; the reader's state tells.
class CompressionReader : public grpc::ProtoBufferReader {
 public:
  explicit CompressionReader(grpc::ByteBuffer* bytes) : grpc::ProtoBufferReader(bytes) {}
  grpc_compression_algorithm compression() {
    return status().ok() ? reader()->buffer_in->data.raw.compression : GRPC_COMPRESS_NONE;
  }
};

absl::StatusOr<InflatedBytes> Inflate(grpc::ByteBuffer* bytes, const WireLimits& limits,
                                      InflightCharge* charge) {
  if (!limits.compressed_requests) {
    return absl::UnimplementedError(
        "compressed requests are off (--allow-compressed-requests); send it as it is");
  }
  grpc::ProtoBufferReader reader(bytes);
  absl::StatusOr<InflatedBytes> inflated =
      InflatedBytes::Inflate(&reader, limits.max_message_bytes, charge);
  bytes->Clear();
  return inflated;
}

}  // namespace

grpc_compression_algorithm CompressionOf(const grpc::ByteBuffer& bytes) {
  // Reading changes nothing in the buffer.
  return CompressionReader(const_cast<grpc::ByteBuffer*>(&bytes)).compression();
}

absl::Status ParseMessage(grpc::ByteBuffer* bytes, const WireLimits& limits, InflightCharge* charge,
                          google::protobuf::MessageLite* message) {
  bool parsed;
  if (CompressionOf(*bytes) != GRPC_COMPRESS_NONE) {
    ASSIGN_OR_RETURN(const InflatedBytes inflated, Inflate(bytes, limits, charge));
    InflatedBytes::Stream stream(&inflated);
    parsed = message->ParseFromZeroCopyStream(&stream);
  } else {
    grpc::ProtoBufferReader reader(bytes);
    parsed = reader.status().ok() && message->ParseFromZeroCopyStream(&reader);
  }
  bytes->Clear();
  if (parsed) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the request is not a ", message->GetTypeName(), " message"));
}

template <typename Stream, typename Source>
absl::Status WireRequest::ParseFrom(Source* source, int64_t uncharged_bytes,
                                    InflightCharge* charge) {
  {
    Stream stream(source);
    ASSIGN_OR_RETURN(parsed_bytes_, ScanRequest(&stream));
  }
  RETURN_IF_ERROR(charge->Add(uncharged_bytes + parsed_bytes_));
  entry_ = pool_.Take();
  Stream stream(source);
  if (entry_->message.ParseFromZeroCopyStream(&stream)) return absl::OkStatus();
  return absl::InvalidArgumentError("the request is not a ModelInferRequest message");
}

absl::Status WireRequest::Parse(grpc::ByteBuffer* bytes, InflightCharge* charge) {
  compression_ = CompressionOf(*bytes);
  if (compression_ == GRPC_COMPRESS_NONE) {
    RETURN_IF_ERROR(
        ParseFrom<grpc::ProtoBufferReader>(bytes, static_cast<int64_t>(bytes->Length()), charge));
    bytes->Clear();
  } else {
    ASSIGN_OR_RETURN(const InflatedBytes inflated, Inflate(bytes, limits_, charge));
    RETURN_IF_ERROR(ParseFrom<InflatedBytes::Stream>(&inflated, 0, charge));
  }
  charge->Set(parsed_bytes_);
  return absl::OkStatus();
}

void WireRequest::Release() {
  if (entry_ != nullptr) pool_.Give(std::move(entry_), parsed_bytes_);
}

}  // namespace inferd
