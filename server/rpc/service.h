#pragma once

#include "proto/inference.grpc.pb.h"
#include "server/repository/model_repository.h"
#include "server/rpc/call_access.h"
#include "server/rpc/infer_reactor.h"
#include "server/rpc/serving_state.h"

namespace inferd {

// `Base` with these of the service's generated method classes around it.
template <typename Base, template <typename> class... Methods>
struct WithMethods {
  using Type = Base;
};
template <typename Base, template <typename> class Method, template <typename> class... Rest>
struct WithMethods<Base, Method, Rest...> {
  using Type = Method<typename WithMethods<Base, Rest...>::Type>;
};

// Every call answers by callback; messages that may be large come and leave as bytes.
using Calls = inference::GRPCInferenceService;
using CallbackCalls = WithMethods<
    Calls::Service, Calls::WithRawCallbackMethod_ModelInfer,
    Calls::WithRawCallbackMethod_ModelStreamInfer, Calls::WithCallbackMethod_ServerLive,
    Calls::WithCallbackMethod_ServerReady, Calls::WithCallbackMethod_ModelReady,
    Calls::WithCallbackMethod_ServerMetadata, Calls::WithCallbackMethod_ModelMetadata,
    Calls::WithCallbackMethod_ModelConfig, Calls::WithCallbackMethod_ModelStatistics,
    Calls::WithCallbackMethod_RepositoryIndex, Calls::WithRawCallbackMethod_RepositoryModelLoad,
    Calls::WithCallbackMethod_RepositoryModelUnload,
    Calls::WithCallbackMethod_SystemSharedMemoryStatus,
    Calls::WithCallbackMethod_SystemSharedMemoryRegister,
    Calls::WithCallbackMethod_SystemSharedMemoryUnregister,
    Calls::WithCallbackMethod_CudaSharedMemoryStatus,
    Calls::WithCallbackMethod_CudaSharedMemoryRegister,
    Calls::WithCallbackMethod_CudaSharedMemoryUnregister, Calls::WithCallbackMethod_TraceSetting,
    Calls::WithCallbackMethod_LogSettings>::Type;

// The list of RPCs that are served; each group has its own file. Methods that are not here answer
// UNIMPLEMENTED. Owned by GrpcServer. Thread-safe.
class InferenceService final : public CallbackCalls {
 public:
  // Everything given outlives the service.
  InferenceService(ModelRepository* repository, ServingState* state, InferSurroundings infer,
                   const CallAccess& access)
      : repository_(*repository), state_(*state), infer_(infer), access_(access) {}

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

  // repository_calls.cc
  Reactor* RepositoryModelLoad(Context* context, const grpc::ByteBuffer* request,
                               grpc::ByteBuffer* response) override;
  Reactor* RepositoryModelUnload(Context* context,
                                 const inference::RepositoryModelUnloadRequest* request,
                                 inference::RepositoryModelUnloadResponse* response) override;

  // shared_memory_calls.cc
  Reactor* SystemSharedMemoryStatus(Context* context,
                                    const inference::SystemSharedMemoryStatusRequest* request,
                                    inference::SystemSharedMemoryStatusResponse* response) override;
  Reactor* SystemSharedMemoryRegister(
      Context* context, const inference::SystemSharedMemoryRegisterRequest* request,
      inference::SystemSharedMemoryRegisterResponse* response) override;
  Reactor* SystemSharedMemoryUnregister(
      Context* context, const inference::SystemSharedMemoryUnregisterRequest* request,
      inference::SystemSharedMemoryUnregisterResponse* response) override;
  Reactor* CudaSharedMemoryStatus(Context* context,
                                  const inference::CudaSharedMemoryStatusRequest* request,
                                  inference::CudaSharedMemoryStatusResponse* response) override;
  Reactor* CudaSharedMemoryRegister(Context* context,
                                    const inference::CudaSharedMemoryRegisterRequest* request,
                                    inference::CudaSharedMemoryRegisterResponse* response) override;
  Reactor* CudaSharedMemoryUnregister(
      Context* context, const inference::CudaSharedMemoryUnregisterRequest* request,
      inference::CudaSharedMemoryUnregisterResponse* response) override;

  // setting_calls.cc
  Reactor* TraceSetting(Context* context, const inference::TraceSettingRequest* request,
                        inference::TraceSettingResponse* response) override;
  Reactor* LogSettings(Context* context, const inference::LogSettingsRequest* request,
                       inference::LogSettingsResponse* response) override;

  // infer_reactor.cc, infer_call.cc
  Reactor* ModelInfer(Context* context, const grpc::ByteBuffer* request,
                      grpc::ByteBuffer* response) override;

  // stream_reactor.cc
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ModelStreamInfer(
      Context* context) override;

  // Runs `call` unless the caller may not make calls of this category or the server is shutting
  // down, and finishes with what it returns.
  template <typename Call>
  Reactor* Answer(Context* context, ApiCategory category, Call&& call);
  // The same while the server is shutting down, too.
  template <typename Call>
  Reactor* AnswerAlways(Context* context, ApiCategory category, Call&& call);
  // As Answer for a call that says later how it ended: it gets a ModelRepository::Done.
  template <typename Call>
  Reactor* AnswerLater(Context* context, ApiCategory category, Call&& call);

  ModelRepository& repository_;
  ServingState& state_;
  const InferSurroundings infer_;
  const CallAccess access_;
};

}  // namespace inferd
