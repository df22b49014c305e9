#include "server/rpc/service.h"

#include "server/rpc/grpc_status.h"
#include "server/rpc/health_calls.h"
#include "server/rpc/metadata_calls.h"

namespace inferd {
namespace {

grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context,
                                    const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

template <typename Call>
grpc::ServerUnaryReactor* InferenceService::Answer(Context* context, Call&& call) {
  if (!state_.Enter()) {
    return FinishNow(context, absl::UnavailableError("the server is shutting down"));
  }
  const absl::Status status = call();
  state_.Leave();
  return FinishNow(context, status);
}

grpc::ServerUnaryReactor* InferenceService::ServerLive(Context* context,
                                                       const inference::ServerLiveRequest*,
                                                       inference::ServerLiveResponse* response) {
  return FinishNow(context, inferd::ServerLive(response));
}

grpc::ServerUnaryReactor* InferenceService::ServerReady(Context* context,
                                                        const inference::ServerReadyRequest*,
                                                        inference::ServerReadyResponse* response) {
  return FinishNow(context, inferd::ServerReady(state_, response));
}

grpc::ServerUnaryReactor* InferenceService::ModelReady(Context* context,
                                                       const inference::ModelReadyRequest* request,
                                                       inference::ModelReadyResponse* response) {
  return FinishNow(context, inferd::ModelReady(state_, repository_, *request, response));
}

grpc::ServerUnaryReactor* InferenceService::ServerMetadata(
    Context* context, const inference::ServerMetadataRequest*,
    inference::ServerMetadataResponse* response) {
  return Answer(context, [&] { return DescribeServer(response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelMetadata(
    Context* context, const inference::ModelMetadataRequest* request,
    inference::ModelMetadataResponse* response) {
  return Answer(context, [&] { return DescribeModel(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelConfig(
    Context* context, const inference::ModelConfigRequest* request,
    inference::ModelConfigResponse* response) {
  return Answer(context, [&] { return ShowModelConfig(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelStatistics(
    Context* context, const inference::ModelStatisticsRequest* request,
    inference::ModelStatisticsResponse* response) {
  return Answer(context, [&] { return ShowStatistics(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::RepositoryIndex(
    Context* context, const inference::RepositoryIndexRequest* request,
    inference::RepositoryIndexResponse* response) {
  return Answer(context, [&] { return ShowRepositoryIndex(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelInfer(Context* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  // gRPC made the buffer for this call alone and does not read it again.
  auto* reactor =
      new InferReactor(infer_, context, const_cast<grpc::ByteBuffer*>(request), response);
  reactor->Start();
  return reactor;
}

}  // namespace inferd
