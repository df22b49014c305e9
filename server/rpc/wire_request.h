#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "proto/inference.pb.h"
#include "server/rpc/inflight_bytes.h"
#include "server/rpc/message_pool.h"

namespace inferd {

using RequestPool = MessagePool<inference::ModelInferRequest>;

// What may come from the wire. A value type.
struct WireLimits {
  int64_t max_message_bytes = 0;
  bool compressed_requests = false;
};

// How a message came from the wire: gRPC gives it as it came.
grpc_compression_algorithm CompressionOf(const grpc::ByteBuffer& bytes);

// Parses and clears `bytes`, expanding them where they came compressed; what that takes meanwhile
// is added to `charge`. UNIMPLEMENTED for compressed bytes where they are off, RESOURCE_EXHAUSTED
// past a limit, INVALID_ARGUMENT for bytes that are no such message.
absl::Status ParseMessage(grpc::ByteBuffer* bytes, const WireLimits& limits, InflightCharge* charge,
                          google::protobuf::MessageLite* message);

// A ModelInferRequest as it comes from the wire: unparsed, so that its memory is admitted before it
// is taken, then parsed into a pooled message. Used by one thread at a time.
class WireRequest {
 public:
  // `pool` outlives it.
  WireRequest(RequestPool* pool, const WireLimits& limits) : pool_(*pool), limits_(limits) {}
  ~WireRequest() { Release(); }
  WireRequest(const WireRequest&) = delete;
  WireRequest& operator=(const WireRequest&) = delete;

  // Parses and clears `bytes`; `charge` holds what the message takes afterwards. Codes as of
  // ParseMessage.
  absl::Status Parse(grpc::ByteBuffer* bytes, InflightCharge* charge);
  // How the message came.
  grpc_compression_algorithm compression() const { return compression_; }
  // After a Parse that succeeded, until Release().
  const inference::ModelInferRequest& message() const { return entry_->message; }
  // Gives the message back to the pool.
  void Release();

 private:
  // `uncharged_bytes` of `source` are not yet in `charge`.
  template <typename Stream, typename Source>
  absl::Status ParseFrom(Source* source, int64_t uncharged_bytes, InflightCharge* charge);

  RequestPool& pool_;
  const WireLimits limits_;
  grpc_compression_algorithm compression_ = GRPC_COMPRESS_NONE;
  int64_t parsed_bytes_ = 0;
  std::unique_ptr<RequestPool::Entry> entry_;
};

}  // namespace inferd
