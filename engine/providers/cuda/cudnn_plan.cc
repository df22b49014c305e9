#include "engine/providers/cuda/cudnn_plan.h"

#include <algorithm>
#include <utility>

#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {
namespace {

// More is not worth what another algorithm gains.
constexpr int64_t kMostWorkspaceBytes = int64_t{512} << 20;

// The engine configurations that a heuristic suggests, best first.
std::vector<CudnnDescriptor> Suggestions(const CudnnDescriptor& graph,
                                         cudnnBackendHeurMode_t mode) {
  std::vector<CudnnDescriptor> configs;
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.Set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristic.Set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (!heuristic.Finalize().ok()) return configs;
  int64_t count = 0;
  if (cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                               CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count,
                               nullptr) != CUDNN_STATUS_SUCCESS) {
    return configs;
  }
  std::vector<cudnnBackendDescriptor_t> found;
  for (int64_t i = 0; i < count; ++i) {
    configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (!configs.back().status().ok()) return {};
    found.push_back(configs.back().get());
  }
  int64_t got = 0;
  if (cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                               CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &got,
                               found.data()) != CUDNN_STATUS_SUCCESS) {
    return {};
  }
  configs.resize(std::min(got, count));
  return configs;
}

// Tensor cores take floats as TF32 alone; other engines may convert them to something narrower.
bool RoundsFloats(const CudnnDescriptor& config) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  int64_t count = 0;
  if (cudnnBackendGetAttribute(config.get(), CUDNN_ATTR_ENGINECFG_ENGINE,
                               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count,
                               &raw) != CUDNN_STATUS_SUCCESS) {
    return true;
  }
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  if (cudnnBackendGetAttribute(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                               CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count,
                               notes) != CUDNN_STATUS_SUCCESS) {
    return true;
  }
  const int64_t known = std::min<int64_t>(count, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  return std::any_of(notes, notes + known, [](cudnnBackendNumericalNote_t note) {
    return note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
           note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
  });
}

int64_t WorkspaceOf(const CudnnDescriptor& plan) {
  int64_t bytes = 0;
  int64_t count = 0;
  if (cudnnBackendGetAttribute(plan.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                               CUDNN_TYPE_INT64, 1, &count, &bytes) != CUDNN_STATUS_SUCCESS) {
    return kMostWorkspaceBytes + 1;
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CudnnPlan>> CudnnPlan::Make(CudnnGraph graph, bool exact, int rank,
                                                           cudnnHandle_t handle) {
  std::unique_ptr<CudnnPlan> plan(new CudnnPlan(std::move(graph)));
  std::vector<CudnnDescriptor> configs;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (CudnnDescriptor& config : Suggestions(plan->graph_.graph, mode)) {
      if (!exact || !RoundsFloats(config)) configs.push_back(std::move(config));
    }
  }
  const auto count = static_cast<int>(configs.size());
  if (rank > 0 && rank < count && plan->Take(configs[rank], handle)) {
    plan->rank_ = rank;
    return plan;
  }
  for (const CudnnDescriptor& config : configs) {
    if (plan->Take(config, handle)) return plan;
  }
  return absl::UnimplementedError("cuDNN has no engine for the operations");
}

bool CudnnPlan::Take(const CudnnDescriptor& config, cudnnHandle_t handle) {
  CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.Set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle);
  plan.Set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
  if (!plan.Finalize().ok()) return false;
  workspace_bytes_ = WorkspaceOf(plan);
  if (workspace_bytes_ > kMostWorkspaceBytes) return false;
  plan_ = std::move(plan);
  return true;
}

absl::Status CudnnPlan::Run(absl::Span<const CudnnOperand> operands, void* workspace,
                            CudaContext& cuda) const {
  ASSIGN_OR_RETURN(const cudnnHandle_t handle, cuda.Cudnn());
  std::vector<int64_t> ids;
  std::vector<void*> addresses;
  for (const CudnnOperand& operand : operands) {
    ids.push_back(operand.id);
    addresses.push_back(const_cast<void*>(operand.address));
  }
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.Set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, absl::MakeConstSpan(ids));
  pack.SetAddresses(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, addresses);
  pack.SetAddresses(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {&workspace, 1});
  RETURN_IF_ERROR(pack.Finalize());
  MutexLock lock(&running_);
  return ToStatus(cudnnBackendExecute(handle, plan_.get(), pack.get()), "a cuDNN plan");
}

}  // namespace inferd::cuda
