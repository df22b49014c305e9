#pragma once

#include "proto/inference.grpc.pb.h"
#include "server/repository/model_repository.h"
#include "server/rpc/infer_reactor.h"
#include "server/rpc/serving_state.h"

namespace inferd {

// The list of RPCs that are served; each group has its own file. Methods that are not here answer
// UNIMPLEMENTED. Owned by GrpcServer. Thread-safe.
class InferenceService final
    : public inference::GRPCInferenceService::WithRawCallbackMethod_ModelInfer<
          inference::GRPCInferenceService::CallbackService> {
 public:
  // Everything given outlives the service.
  InferenceService(const ModelRepository* repository, ServingState* state, InferSurroundings infer)
      : repository_(*repository), state_(*state), infer_(infer) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  // health_calls.cc
  Reactor* ServerLive(Context* context, const inference::ServerLiveRequest* request,
                      inference::ServerLiveResponse* response) override;
  Reactor* ServerReady(Context* context, const inference::ServerReadyRequest* request,
                       inference::ServerReadyResponse* response) override;
  Reactor* ModelReady(Context* context, const inference::ModelReadyRequest* request,
                      inference::ModelReadyResponse* response) override;

  // metadata_calls.cc
  Reactor* ServerMetadata(Context* context, const inference::ServerMetadataRequest* request,
                          inference::ServerMetadataResponse* response) override;
  Reactor* ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                         inference::ModelMetadataResponse* response) override;
  Reactor* ModelConfig(Context* context, const inference::ModelConfigRequest* request,
                       inference::ModelConfigResponse* response) override;
  Reactor* ModelStatistics(Context* context, const inference::ModelStatisticsRequest* request,
                           inference::ModelStatisticsResponse* response) override;
  Reactor* RepositoryIndex(Context* context, const inference::RepositoryIndexRequest* request,
                           inference::RepositoryIndexResponse* response) override;

  // infer_reactor.cc, infer_call.cc
  Reactor* ModelInfer(Context* context, const grpc::ByteBuffer* request,
                      grpc::ByteBuffer* response) override;

  // Runs `call` unless calls are refused, and finishes with what it returns.
  template <typename Call>
  Reactor* Answer(Context* context, Call&& call);

  const ModelRepository& repository_;
  ServingState& state_;
  const InferSurroundings infer_;
};

}  // namespace inferd
