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

// A ModelInferRequest as it comes from the wire: unparsed, so that its memory is admitted before it
// is taken, then parsed into a pooled message. Used by one thread at a time.
class WireRequest {
 public:
  // `pool` outlives it.
  explicit WireRequest(RequestPool* pool) : pool_(*pool) {}
  ~WireRequest() { Release(); }
  WireRequest(const WireRequest&) = delete;
  WireRequest& operator=(const WireRequest&) = delete;

  // Parses and clears `bytes`; `charge` holds what the message takes afterwards. RESOURCE_EXHAUSTED
  // when that is too much, INVALID_ARGUMENT for bytes that are no such message.
  absl::Status Parse(grpc::ByteBuffer* bytes, InflightCharge* charge);
  // After a Parse that succeeded, until Release().
  const inference::ModelInferRequest& message() const { return entry_->message; }
  // Gives the message back to the pool.
  void Release();

 private:
  RequestPool& pool_;
  int64_t parsed_bytes_ = 0;
  std::unique_ptr<RequestPool::Entry> entry_;
};

}  // namespace inferd
