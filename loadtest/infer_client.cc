#include "loadtest/infer_client.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <utility>
#include <vector>

#include "proto/inference.grpc.pb.h"

namespace inferd::loadtest {
namespace {

using inference::GRPCInferenceService;

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// One request on its way; deletes itself after calling back.
struct Call {
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  InferClient::Done done;
};

}  // namespace

struct InferClient::Connections {
  std::vector<std::unique_ptr<GRPCInferenceService::Stub>> stubs;
  std::atomic<uint64_t> next{0};

  GRPCInferenceService::Stub& Take() { return *stubs[next++ % stubs.size()]; }
};

InferClient::InferClient(const std::string& url, int connections)
    : connections_(std::make_unique<Connections>()) {
  for (int i = 0; i < connections; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetMaxSendMessageSize(-1);
    // Channels with equal arguments would share one connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    connections_->stubs.push_back(GRPCInferenceService::NewStub(
        grpc::CreateCustomChannel(url, grpc::InsecureChannelCredentials(), arguments)));
  }
}

InferClient::~InferClient() = default;

absl::StatusOr<inference::ModelMetadataResponse> InferClient::Metadata(const std::string& model,
                                                                       const std::string& version,
                                                                       absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  context.set_wait_for_ready(true);
  inference::ModelMetadataRequest request;
  request.set_name(model);
  request.set_version(version);
  inference::ModelMetadataResponse response;
  const grpc::Status status = connections_->Take().ModelMetadata(&context, request, &response);
  if (!status.ok()) return ToAbsl(status);
  return response;
}

void InferClient::Infer(const inference::ModelInferRequest& request, absl::Duration timeout,
                        Done done) {
  auto* call = new Call;
  call->done = std::move(done);
  call->context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  connections_->Take().async()->ModelInfer(&call->context, &request, &call->response,
                                           [call](grpc::Status status) {
                                             const std::unique_ptr<Call> owner(call);
                                             call->done(ToAbsl(status), call->response);
                                           });
}

}  // namespace inferd::loadtest
