#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/mutex.h"
#include "engine/engine.h"

namespace inferd {

// A TensorInfo whose dimensions are sizes, or -1 for variable ones.
inline TensorInfo FakeTensorInfo(const std::string& name, DType dtype,
                                 std::initializer_list<int64_t> dims) {
  std::vector<Dim> symbolic;
  TensorInfo info;
  info.name = name;
  for (const int64_t dim : dims) {
    symbolic.push_back(dim < 0 ? Dim::Unknown() : Dim(dim));
    info.dim_names.push_back(dim < 0 ? "?" : absl::StrCat(dim));
  }
  info.type = ValueType::OfTensor(dtype, SymbolicShape(std::move(symbolic)));
  return info;
}

// A model without an engine: answers with its inputs, or with what `run` says. Remembers the shape
// of its first input in every run, and can be held. Thread-safe.
class FakeModel : public Model {
 public:
  using RunFunction =
      std::function<absl::Status(absl::Span<const Tensor> inputs, std::vector<Tensor>* outputs)>;

  FakeModel(std::vector<TensorInfo> inputs, std::vector<TensorInfo> outputs)
      : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  // X float32[?,2] -> Y float32[?,2].
  static std::unique_ptr<FakeModel> Identity() {
    return std::make_unique<FakeModel>(
        std::vector<TensorInfo>{FakeTensorInfo("X", DType::kFloat32, {-1, 2})},
        std::vector<TensorInfo>{FakeTensorInfo("Y", DType::kFloat32, {-1, 2})});
  }

  void set_run(RunFunction run) { run_ = std::move(run); }
  void set_verdict(BatchVerdict verdict) { verdict_ = std::move(verdict); }

  const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  const ModelMetadata& metadata() const override { return metadata_; }

  absl::Status Run(CoreSlot&, absl::Span<const Tensor> inputs,
                   std::vector<Tensor>* outputs) override {
    {
      MutexLock lock(&mutex_);
      runs_.push_back(inputs.empty() ? Shape() : inputs[0].shape());
      changed_.SignalAll();
      while (held_) changed_.Wait(&mutex_);
    }
    if (run_) return run_(inputs, outputs);
    outputs->assign(inputs.begin(), inputs.end());
    return absl::OkStatus();
  }

  absl::StatusOr<TuningReport> Tune(CoreSlots&, const std::function<bool()>&) override {
    MutexLock lock(&mutex_);
    return std::exchange(tuning_, TuningReport());
  }
  // What the next Tune reports.
  void set_tuning(absl::StatusOr<TuningReport> tuning) {
    MutexLock lock(&mutex_);
    tuning_ = std::move(tuning);
  }

  absl::Status RunProfiled(CoreSlot&, absl::Span<const Tensor>, ModelProfile*) override {
    return absl::UnimplementedError("a fake model has no steps");
  }
  absl::Status CheckInputs(absl::Span<const Tensor> inputs) const override {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].dtype() == inputs_[i].type.dtype) continue;
      return absl::InvalidArgumentError(absl::StrCat("input '", inputs_[i].name, "': wrong type"));
    }
    return absl::OkStatus();
  }
  absl::Status Prepare(absl::Span<const Shape> shapes) override {
    MutexLock lock(&mutex_);
    prepared_.emplace_back(shapes.begin(), shapes.end());
    return absl::OkStatus();
  }
  // All that Prepare was called with.
  std::vector<std::vector<Shape>> PreparedShapes(size_t) const override {
    MutexLock lock(&mutex_);
    return prepared_;
  }
  BatchVerdict CheckBatching(CoreSlot&) override { return verdict_; }
  PackingVerdict CheckPacking(CoreSlot&) override { return {.reason = "a fake packs nothing"}; }
  // One run after the other.
  absl::Status RunPacked(CoreSlot& slot, absl::Span<const absl::Span<const Tensor>> requests,
                         std::vector<std::vector<Tensor>>* outputs) override {
    {
      MutexLock lock(&mutex_);
      ++packed_runs_;
    }
    outputs->resize(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      if (absl::Status status = Run(slot, requests[i], &(*outputs)[i]); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  MemoryUse memory_use() const override { return {1000, 2000, 1}; }

  std::string GraphDump() const override { return ""; }
  std::string OriginalGraphDump() const override { return ""; }
  std::string PassReport() const override { return ""; }
  absl::StatusOr<std::string> PlanDump(absl::Span<const Shape>) override { return std::string(); }

  // Until Release(), every run waits where it would compute.
  void Hold() {
    MutexLock lock(&mutex_);
    held_ = true;
  }
  void Release() {
    MutexLock lock(&mutex_);
    held_ = false;
    changed_.SignalAll();
  }
  // Waits until so many runs have begun.
  void AwaitRuns(size_t count) {
    MutexLock lock(&mutex_);
    while (runs_.size() < count) changed_.Wait(&mutex_);
  }
  int packed_runs() const {
    MutexLock lock(&mutex_);
    return packed_runs_;
  }
  std::vector<Shape> runs() const {
    MutexLock lock(&mutex_);
    return runs_;
  }

 private:
  const std::vector<TensorInfo> inputs_;
  const std::vector<TensorInfo> outputs_;
  const ModelMetadata metadata_;
  RunFunction run_;
  BatchVerdict verdict_{BatchSafety::kProven, "every node keeps rows apart"};

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Shape> runs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::vector<Shape>> prepared_ ABSL_GUARDED_BY(mutex_);
  int packed_runs_ ABSL_GUARDED_BY(mutex_) = 0;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  absl::StatusOr<TuningReport> tuning_ ABSL_GUARDED_BY(mutex_) = TuningReport();
};

}  // namespace inferd
