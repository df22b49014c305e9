#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/inference.pb.h"
#include "server/http/http_call.h"
#include "server/rest/infer_body.h"
#include "server/rest/rest_call.h"
#include "server/rpc/infer_call.h"

namespace inferd {

// One inference that came by HTTP, from the decoded body to the reply. Counts as a call and holds
// its memory until the reply has left; a client that goes away cancels it. Kept alive by itself
// until then. Used by one thread at a time.
class RestInference : public std::enable_shared_from_this<RestInference> {
 public:
  // Fills in the request from the HTTP request's body. Memory is added to the charge.
  using Decode = std::function<absl::Status(const HttpRequest& http, InflightCharge* charge,
                                            RestInferRequest* request)>;
  // Makes the reply; runs on a thread of the server.
  using Encode = std::function<absl::StatusOr<HttpReply>(
      const RestInferRequest& request, const inference::ModelInferResponse& response)>;

  // The captures of `http` are the model's name and, where given, its version.
  static void Run(const RestSurroundings& shared, std::shared_ptr<HttpCall> http,
                  const Decode& decode, Encode encode);

 private:
  RestInference(const RestSurroundings& shared, std::shared_ptr<HttpCall> http, Encode encode,
                std::shared_ptr<void> counted);
  void Start(const Decode& decode);
  void Refuse(const absl::Status& status);
  void Finish(const absl::Status& status);
  HttpReply MakeReply();
  // Takes W3C's trace headers, where tracing is on; and sends those of the request's span.
  void ReadTraceHeaders(const HttpRequest& http);
  void AddTraceHeaders(HttpReply* reply) const;

  const RestSurroundings& shared_;
  const absl::Time received_;
  std::shared_ptr<void> counted_;
  std::shared_ptr<HttpCall> http_;
  const Encode encode_;
  std::optional<AccessRecord> access_;  // of a request that is logged
  std::string timings_;                 // for a header of the reply
  InferCall call_;
  RestInferRequest request_;
  inference::ModelInferResponse response_;
};

}  // namespace inferd
