#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/inference.pb.h"

namespace inferd::loadtest {

// A client of one server over several connections, used in turn; the only part that knows gRPC.
// Thread-safe.
class InferClient {
 public:
  using Done = std::function<void(const absl::Status&, const inference::ModelInferResponse&)>;

  // Does not wait for the connections.
  InferClient(const std::string& url, int connections);
  ~InferClient();  // every Infer must have called back

  // Blocks, at most `timeout`, connecting included.
  absl::StatusOr<inference::ModelMetadataResponse> Metadata(const std::string& model,
                                                            const std::string& version,
                                                            absl::Duration timeout);

  // Returns at once; `done` is called exactly once, on a gRPC thread. `request` must live until
  // then.
  void Infer(const inference::ModelInferRequest& request, absl::Duration timeout, Done done);

 private:
  struct Connections;
  std::unique_ptr<Connections> connections_;
};

}  // namespace inferd::loadtest
