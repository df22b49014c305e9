#include "server/rpc/service.h"

#include <utility>

#include "server/rpc/grpc_status.h"
#include "server/rpc/health_calls.h"
#include "server/rpc/metadata_calls.h"
#include "server/rpc/repository_calls.h"
#include "server/rpc/setting_calls.h"
#include "server/rpc/shared_memory_calls.h"
#include "server/rpc/stream_reactor.h"

namespace inferd {
namespace {

grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context,
                                    const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// What a reply without fields is on the wire.
grpc::ByteBuffer EmptyMessage() {
  const grpc::Slice nothing;
  return grpc::ByteBuffer(&nothing, 1);
}

// Ends a stream before anything of it is read. Deletes itself in OnDone(). Used by one thread at a
// time.
class RefusedStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit RefusedStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

template <typename Call>
grpc::ServerUnaryReactor* InferenceService::AnswerAlways(Context* context, ApiCategory category,
                                                         Call&& call) {
  absl::Status status = access_.Check(*context, category);
  if (status.ok()) status = call();
  return FinishNow(context, status);
}

template <typename Call>
grpc::ServerUnaryReactor* InferenceService::Answer(Context* context, ApiCategory category,
                                                   Call&& call) {
  const absl::Status access = access_.Check(*context, category);
  if (!access.ok()) return FinishNow(context, access);
  if (!state_.Enter()) {
    return FinishNow(context, absl::UnavailableError("the server is shutting down"));
  }
  const absl::Status status = call();
  state_.Leave();
  return FinishNow(context, status);
}

template <typename Call>
grpc::ServerUnaryReactor* InferenceService::AnswerLater(Context* context, ApiCategory category,
                                                        Call&& call) {
  const absl::Status access = access_.Check(*context, category);
  if (!access.ok()) return FinishNow(context, access);
  if (!state_.Enter()) {
    return FinishNow(context, absl::UnavailableError("the server is shutting down"));
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  call([this, reactor](const absl::Status& status) {
    // The reactor may end before Finish returns, and the server after Leave.
    reactor->Finish(ToGrpcStatus(status));
    state_.Leave();
  });
  return reactor;
}

grpc::ServerUnaryReactor* InferenceService::ServerLive(Context* context,
                                                       const inference::ServerLiveRequest*,
                                                       inference::ServerLiveResponse* response) {
  return AnswerAlways(context, ApiCategory::kHealth, [&] { return inferd::ServerLive(response); });
}

grpc::ServerUnaryReactor* InferenceService::ServerReady(Context* context,
                                                        const inference::ServerReadyRequest*,
                                                        inference::ServerReadyResponse* response) {
  return AnswerAlways(context, ApiCategory::kHealth,
                      [&] { return inferd::ServerReady(state_, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelReady(Context* context,
                                                       const inference::ModelReadyRequest* request,
                                                       inference::ModelReadyResponse* response) {
  return AnswerAlways(context, ApiCategory::kHealth,
                      [&] { return inferd::ModelReady(state_, repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::ServerMetadata(
    Context* context, const inference::ServerMetadataRequest*,
    inference::ServerMetadataResponse* response) {
  return Answer(context, ApiCategory::kMetadata,
                [&] { return DescribeServer(infer_.features, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelMetadata(
    Context* context, const inference::ModelMetadataRequest* request,
    inference::ModelMetadataResponse* response) {
  return Answer(context, ApiCategory::kMetadata,
                [&] { return DescribeModel(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelConfig(
    Context* context, const inference::ModelConfigRequest* request,
    inference::ModelConfigResponse* response) {
  return Answer(context, ApiCategory::kMetadata,
                [&] { return ShowModelConfig(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelStatistics(
    Context* context, const inference::ModelStatisticsRequest* request,
    inference::ModelStatisticsResponse* response) {
  return Answer(context, ApiCategory::kStatistics,
                [&] { return ShowStatistics(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::RepositoryIndex(
    Context* context, const inference::RepositoryIndexRequest* request,
    inference::RepositoryIndexResponse* response) {
  return Answer(context, ApiCategory::kModelRepository,
                [&] { return ShowRepositoryIndex(repository_, *request, response); });
}

grpc::ServerUnaryReactor* InferenceService::RepositoryModelLoad(Context* context,
                                                                const grpc::ByteBuffer* bytes,
                                                                grpc::ByteBuffer* response) {
  return AnswerLater(context, ApiCategory::kModelRepository, [&](ModelRepository::Done done) {
    *response = EmptyMessage();
    inference::RepositoryModelLoadRequest request;
    {
      InflightCharge charge(infer_.inflight);
      // gRPC made the buffer for this call alone and does not read it again.
      const absl::Status parsed =
          ParseMessage(const_cast<grpc::ByteBuffer*>(bytes), infer_.limits, &charge, &request);
      if (!parsed.ok()) return done(parsed);
    }
    absl::StatusOr<ModelOverrides> overrides = ReadOverrides(request);
    if (!overrides.ok()) return done(overrides.status());
    repository_.Load(request.model_name(), *std::move(overrides), std::move(done));
  });
}

grpc::ServerUnaryReactor* InferenceService::RepositoryModelUnload(
    Context* context, const inference::RepositoryModelUnloadRequest* request,
    inference::RepositoryModelUnloadResponse*) {
  return AnswerLater(context, ApiCategory::kModelRepository, [&](ModelRepository::Done done) {
    const absl::Status status = CheckUnload(*request);
    if (!status.ok()) return done(status);
    repository_.Unload(request->model_name(), std::move(done));
  });
}

grpc::ServerUnaryReactor* InferenceService::SystemSharedMemoryStatus(
    Context* context, const inference::SystemSharedMemoryStatusRequest* request,
    inference::SystemSharedMemoryStatusResponse* response) {
  return Answer(context, ApiCategory::kSharedMemory, [&] {
    return ShowSharedMemory(infer_.features.shared_memory, *request, response);
  });
}

grpc::ServerUnaryReactor* InferenceService::SystemSharedMemoryRegister(
    Context* context, const inference::SystemSharedMemoryRegisterRequest* request,
    inference::SystemSharedMemoryRegisterResponse*) {
  return Answer(context, ApiCategory::kSharedMemory,
                [&] { return RegisterSharedMemory(infer_.features.shared_memory, *request); });
}

grpc::ServerUnaryReactor* InferenceService::SystemSharedMemoryUnregister(
    Context* context, const inference::SystemSharedMemoryUnregisterRequest* request,
    inference::SystemSharedMemoryUnregisterResponse*) {
  return Answer(context, ApiCategory::kSharedMemory,
                [&] { return UnregisterSharedMemory(infer_.features.shared_memory, *request); });
}

grpc::ServerUnaryReactor* InferenceService::CudaSharedMemoryStatus(
    Context* context, const inference::CudaSharedMemoryStatusRequest* request,
    inference::CudaSharedMemoryStatusResponse* response) {
  return Answer(context, ApiCategory::kSharedMemory, [&] {
    return ShowSharedMemory(infer_.features.shared_memory, *request, response);
  });
}

grpc::ServerUnaryReactor* InferenceService::CudaSharedMemoryRegister(
    Context* context, const inference::CudaSharedMemoryRegisterRequest* request,
    inference::CudaSharedMemoryRegisterResponse*) {
  return Answer(context, ApiCategory::kSharedMemory,
                [&] { return RegisterSharedMemory(infer_.features.shared_memory, *request); });
}

grpc::ServerUnaryReactor* InferenceService::CudaSharedMemoryUnregister(
    Context* context, const inference::CudaSharedMemoryUnregisterRequest* request,
    inference::CudaSharedMemoryUnregisterResponse*) {
  return Answer(context, ApiCategory::kSharedMemory,
                [&] { return UnregisterSharedMemory(infer_.features.shared_memory, *request); });
}

grpc::ServerUnaryReactor* InferenceService::TraceSetting(
    Context* context, const inference::TraceSettingRequest* request,
    inference::TraceSettingResponse* response) {
  return Answer(context, ApiCategory::kTrace, [&]() -> absl::Status {
    if (!request->model_name().empty()) {
      const absl::StatusOr<ModelHandle> model = repository_.Get(request->model_name(), "");
      if (!model.ok()) return model.status();
    }
    return ChangeTraceSettings(infer_.features.tracer, *request, response);
  });
}

grpc::ServerUnaryReactor* InferenceService::LogSettings(
    Context* context, const inference::LogSettingsRequest* request,
    inference::LogSettingsResponse* response) {
  return Answer(context, ApiCategory::kLogging,
                [&] { return ChangeLogSettings(*request, response); });
}

grpc::ServerUnaryReactor* InferenceService::ModelInfer(Context* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  const absl::Status access = access_.Check(*context, ApiCategory::kInference);
  if (!access.ok()) return FinishNow(context, access);
  // gRPC made the buffer for this call alone and does not read it again.
  auto* reactor =
      new InferReactor(infer_, context, const_cast<grpc::ByteBuffer*>(request), response);
  reactor->Start();
  return reactor;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* InferenceService::ModelStreamInfer(
    Context* context) {
  const absl::Status access = access_.Check(*context, ApiCategory::kInference);
  if (!access.ok()) return new RefusedStream(access);
  auto* reactor = new StreamReactor(infer_, context);
  reactor->Start();
  return reactor;
}

}  // namespace inferd
