#include "engine/replicated_model.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/functional/function_ref.h"
#include "engine/core/status_macros.h"
#include "engine/device_placement.h"

namespace inferd {
namespace {

int64_t BytesOf(absl::Span<const Tensor> tensors) {
  int64_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += tensor.byte_size();
  return bytes;
}

class ReplicatedModel : public Model {
 public:
  ReplicatedModel(std::vector<std::unique_ptr<Model>> replicas, int executions_per_device)
      : replicas_(std::move(replicas)),
        placement_(static_cast<int>(replicas_.size()), executions_per_device,
                   [this](int device) { return !replicas_[device]->has_lost_device(); }) {}

  const std::vector<TensorInfo>& inputs() const override { return first().inputs(); }
  const std::vector<TensorInfo>& outputs() const override { return first().outputs(); }
  const ModelMetadata& metadata() const override { return first().metadata(); }

  absl::Status Run(CoreSlot& slot, absl::Span<const Tensor> inputs,
                   std::vector<Tensor>* outputs) override {
    return Place(BytesOf(inputs), [&](Model& model) { return model.Run(slot, inputs, outputs); });
  }

  absl::Status RunProfiled(CoreSlot& slot, absl::Span<const Tensor> inputs,
                           ModelProfile* profile) override {
    return first().RunProfiled(slot, inputs, profile);
  }

  absl::Status CheckInputs(absl::Span<const Tensor> inputs) const override {
    return first().CheckInputs(inputs);
  }

  absl::Status Prepare(absl::Span<const Shape> input_shapes) override {
    for (const auto& replica : replicas_) RETURN_IF_ERROR(replica->Prepare(input_shapes));
    return absl::OkStatus();
  }

  std::vector<std::vector<Shape>> PreparedShapes(size_t limit) const override {
    std::vector<std::vector<Shape>> all;
    for (const auto& replica : replicas_) {
      for (std::vector<Shape>& shapes : replica->PreparedShapes(limit)) {
        const bool known = std::find(all.begin(), all.end(), shapes) != all.end();
        if (!known && all.size() < limit) all.push_back(std::move(shapes));
      }
    }
    return all;
  }

  // Replicas differ in nothing that it looks at.
  BatchVerdict CheckBatching(CoreSlot& slot) override { return first().CheckBatching(slot); }

  PackingVerdict CheckPacking(CoreSlot& slot) override {
    PackingVerdict verdict = first().CheckPacking(slot);
    for (size_t i = 1; i < replicas_.size() && verdict.packs; ++i) {
      PackingVerdict other = replicas_[i]->CheckPacking(slot);
      if (!other.packs || other.padding_mask != verdict.padding_mask) verdict = std::move(other);
    }
    return verdict;
  }

  absl::Status RunPacked(CoreSlot& slot, absl::Span<const absl::Span<const Tensor>> requests,
                         std::vector<std::vector<Tensor>>* outputs) override {
    int64_t bytes = 0;
    for (const absl::Span<const Tensor> request : requests) bytes += BytesOf(request);
    return Place(bytes, [&](Model& model) { return model.RunPacked(slot, requests, outputs); });
  }

  absl::StatusOr<TuningReport> Tune(CoreSlots& slots, const std::function<bool()>& stop) override {
    TuningReport report;
    for (const auto& replica : replicas_) {
      ASSIGN_OR_RETURN(TuningReport own, replica->Tune(slots, stop));
      std::move(own.steps.begin(), own.steps.end(), std::back_inserter(report.steps));
      report.swapped_plans += own.swapped_plans;
      report.time += own.time;
    }
    return report;
  }

  MemoryUse memory_use() const override {
    MemoryUse all;
    for (const auto& replica : replicas_) {
      const MemoryUse own = replica->memory_use();
      all.weight_bytes += own.weight_bytes;
      all.arena_bytes = std::max(all.arena_bytes, own.arena_bytes);
      all.workspace_bytes = std::max(all.workspace_bytes, own.workspace_bytes);
      all.plans += own.plans;
      all.device_weight_bytes += own.device_weight_bytes;
    }
    return all;
  }

  // One file for all: what the next start finds there fits each of them.
  absl::Status SaveCache() override { return first().SaveCache(); }
  std::string CacheReport() const override { return first().CacheReport(); }

  std::string GraphDump() const override { return first().GraphDump(); }
  std::string OriginalGraphDump() const override { return first().OriginalGraphDump(); }
  std::string PassReport() const override { return first().PassReport(); }
  absl::StatusOr<std::string> PlanDump(absl::Span<const Shape> input_shapes) override {
    return first().PlanDump(input_shapes);
  }

  bool has_lost_device() const override {
    return std::all_of(replicas_.begin(), replicas_.end(),
                       [](const auto& replica) { return replica->has_lost_device(); });
  }

 private:
  Model& first() const { return *replicas_[0]; }

  // Once more where the device is lost on the way.
  absl::Status Place(int64_t bytes, absl::FunctionRef<absl::Status(Model& model)> run) {
    absl::Status status;
    for (size_t tries = 0; tries < replicas_.size(); ++tries) {
      const DevicePlacement::Ticket ticket = placement_.Begin(bytes);
      Model& model = *replicas_[ticket.device];
      const bool was_lost = model.has_lost_device();
      status = run(model);
      placement_.End(ticket, !status.ok());
      if (status.ok() || was_lost || !model.has_lost_device()) break;
    }
    return status;
  }

  const std::vector<std::unique_ptr<Model>> replicas_;
  DevicePlacement placement_;
};

}  // namespace

std::unique_ptr<Model> ReplicateModel(std::vector<std::unique_ptr<Model>> replicas,
                                      int executions_per_device) {
  return std::make_unique<ReplicatedModel>(std::move(replicas), executions_per_device);
}

}  // namespace inferd
