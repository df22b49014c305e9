#include "server/rpc/metadata_calls.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/model/class_names.h"
#include "server/model/tensor_types.h"

namespace inferd {
namespace {

// Extensions of the protocol that work here.
constexpr const char* kExtensions[] = {
    "binary_tensor_data",  "classification",   "logging",
    "model_configuration", "model_repository", "model_repository(unload_dependents)",
    "parameters",          "schedule_policy",  "statistics"};
constexpr char kPlatform[] = "onnx_onnxv1";

void DescribeTensor(const TensorInfo& tensor,
                    inference::ModelMetadataResponse::TensorMetadata* result) {
  result->set_name(tensor.name);
  const absl::string_view datatype = ProtocolTypeName(tensor.type.dtype);
  result->set_datatype(datatype.data(), datatype.size());
  for (const int64_t dim : ServedModel::MetadataShape(tensor)) result->add_shape(dim);
}

void SetDuration(const DurationSum& sum, inference::StatisticDuration* result) {
  result->set_count(sum.count);
  result->set_ns(absl::ToInt64Nanoseconds(sum.total));
}

void AddMemory(const char* type, int64_t bytes, inference::ModelStatistics* result) {
  auto* memory = result->add_memory_usage();
  memory->set_type(type);
  memory->set_byte_size(static_cast<uint64_t>(bytes));
}

void AddStatistics(const ServedModel& model, inference::ModelStatisticsResponse* response) {
  const ModelStatistics statistics = model.Statistics();
  inference::ModelStatistics* result = response->add_model_stats();
  result->set_name(model.name());
  result->set_version(model.version_text());
  if (statistics.last_inference != absl::InfinitePast()) {
    result->set_last_inference(absl::ToUnixMillis(statistics.last_inference));
  }
  result->set_inference_count(statistics.inference_count);
  result->set_execution_count(statistics.execution_count);
  auto* sums = result->mutable_inference_stats();
  SetDuration(statistics.success, sums->mutable_success());
  SetDuration(statistics.fail, sums->mutable_fail());
  SetDuration(statistics.queue, sums->mutable_queue());
  SetDuration(statistics.compute_input, sums->mutable_compute_input());
  SetDuration(statistics.compute_infer, sums->mutable_compute_infer());
  SetDuration(statistics.compute_output, sums->mutable_compute_output());
  sums->mutable_cache_hit();
  sums->mutable_cache_miss();
  for (const auto& [rows, batch] : statistics.batches) {
    auto* batch_result = result->add_batch_stats();
    batch_result->set_batch_size(static_cast<uint64_t>(rows));
    SetDuration(batch.compute_input, batch_result->mutable_compute_input());
    SetDuration(batch.compute_infer, batch_result->mutable_compute_infer());
    SetDuration(batch.compute_output, batch_result->mutable_compute_output());
  }
  const MemoryUse memory = model.memory_use();
  AddMemory("CPU_WEIGHTS", memory.weight_bytes, result);
  AddMemory("CPU_ARENA", memory.arena_bytes, result);
  AddMemory("CPU_WORKSPACE", memory.workspace_bytes, result);
}

}  // namespace

absl::Status DescribeServer(const InferFeatures& features,
                            inference::ServerMetadataResponse* response) {
  response->set_name("inferd");
  const absl::string_view version = EngineBuildId();
  response->set_version(version.data(), version.size());
  for (const char* extension : kExtensions) response->add_extensions(extension);
  if (features.shared_memory != nullptr) response->add_extensions("system_shared_memory");
  if (features.shared_memory != nullptr && features.shared_memory->devices() != nullptr) {
    response->add_extensions("cuda_shared_memory");
  }
  if (features.tracer != nullptr) response->add_extensions("trace");
  return absl::OkStatus();
}

absl::Status DescribeModel(const ModelRepository& repository,
                           const inference::ModelMetadataRequest& request,
                           inference::ModelMetadataResponse* response) {
  ASSIGN_OR_RETURN(const ModelHandle model, repository.Get(request.name(), request.version()));
  response->set_name(model->name());
  for (const int64_t version : repository.ReadyVersions(request.name())) {
    response->add_versions(absl::StrCat(version));
  }
  const std::string& platform = model->config().platform();
  response->set_platform(platform.empty() ? kPlatform : platform);
  for (const TensorInfo& input : model->inputs()) DescribeTensor(input, response->add_inputs());
  auto& properties = *response->mutable_properties();
  for (const auto& [key, value] : model->model().metadata().properties) properties[key] = value;
  for (const TensorInfo& output : model->outputs()) {
    DescribeTensor(output, response->add_outputs());
    if (output.class_names.empty()) continue;
    properties[ClassNamesKey(output.name)] = ClassNamesText(output.class_names);
  }
  return absl::OkStatus();
}

absl::Status ShowModelConfig(const ModelRepository& repository,
                             const inference::ModelConfigRequest& request,
                             inference::ModelConfigResponse* response) {
  ASSIGN_OR_RETURN(const ModelHandle model, repository.Get(request.name(), request.version()));
  *response->mutable_config() = model->config();
  return absl::OkStatus();
}

absl::Status ShowStatistics(const ModelRepository& repository,
                            const inference::ModelStatisticsRequest& request,
                            inference::ModelStatisticsResponse* response) {
  if (request.name().empty()) {
    if (!request.version().empty()) {
      return absl::InvalidArgumentError("a version is given without a model name");
    }
    for (const ModelHandle& model : repository.ReadyModels()) AddStatistics(*model, response);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const ModelHandle newest, repository.Get(request.name(), request.version()));
  if (!request.version().empty()) {
    AddStatistics(*newest, response);
    return absl::OkStatus();
  }
  for (const int64_t version : repository.ReadyVersions(request.name())) {
    const absl::StatusOr<ModelHandle> model = repository.Get(request.name(), absl::StrCat(version));
    if (model.ok()) AddStatistics(**model, response);
  }
  return absl::OkStatus();
}

absl::Status ShowRepositoryIndex(const ModelRepository& repository,
                                 const inference::RepositoryIndexRequest& request,
                                 inference::RepositoryIndexResponse* response) {
  if (!request.repository_name().empty()) {
    return absl::UnimplementedError("repository_name is not supported: leave it empty");
  }
  for (const ModelIndexRow& row : repository.Index()) {
    if (request.ready() && row.state != ModelState::kReady) continue;
    auto* result = response->add_models();
    result->set_name(row.name);
    result->set_version(row.version);
    const absl::string_view state = ModelStateName(row.state);
    result->set_state(state.data(), state.size());
    result->set_reason(row.reason);
  }
  return absl::OkStatus();
}

}  // namespace inferd
