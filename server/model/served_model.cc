#include "server/model/served_model.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"
#include "server/metrics/model_metrics.h"
#include "server/model/effective_config.h"
#include "server/model/tensor_types.h"
#include "server/model/warm_up.h"
#include "server/scheduler/batcher.h"

namespace inferd {
namespace {

bool IsCarried(const TensorInfo& tensor) {
  return tensor.type.is_tensor() && !ProtocolTypeName(tensor.type.dtype).empty();
}

absl::Status CheckInputsAreCarried(absl::Span<const TensorInfo> inputs) {
  for (const TensorInfo& input : inputs) {
    if (IsCarried(input)) continue;
    return absl::UnimplementedError(absl::StrCat("input '", input.name, "' is ",
                                                 input.type.ToString(),
                                                 ", which the protocol cannot carry"));
  }
  return absl::OkStatus();
}

std::vector<TensorInfo> CarriedOutputs(absl::string_view label,
                                       absl::Span<const TensorInfo> outputs) {
  std::vector<TensorInfo> carried;
  for (const TensorInfo& output : outputs) {
    if (IsCarried(output)) {
      carried.push_back(output);
      continue;
    }
    LogWarning(absl::StrCat("model '", label, "': output '", output.name, "' is left out: it is ",
                            output.type.ToString(), ", which the protocol cannot carry"));
  }
  return carried;
}

absl::flat_hash_map<std::string, int> IndexByName(absl::Span<const TensorInfo> tensors) {
  absl::flat_hash_map<std::string, int> indices;
  for (size_t i = 0; i < tensors.size(); ++i) {
    indices.emplace(tensors[i].name, static_cast<int>(i));
  }
  return indices;
}

std::vector<int> IndicesIn(absl::Span<const TensorInfo> all, absl::Span<const TensorInfo> some) {
  const absl::flat_hash_map<std::string, int> indices = IndexByName(all);
  std::vector<int> found;
  for (const TensorInfo& tensor : some) found.push_back(indices.at(tensor.name));
  return found;
}

bool SameShapes(absl::Span<const TensorInfo> a, absl::Span<const TensorInfo> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.type.shape.ToString() == y.type.shape.ToString();
  });
}

bool SameInputs(absl::Span<const TensorInfo> a, absl::Span<const TensorInfo> b) {
  return SameShapes(a, b) &&
         std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.name == y.name && x.type.dtype == y.type.dtype;
         });
}

// Plans that are made beforehand.
constexpr size_t kMostPrepared = 32;

void RunForLoad(const ServingContext& context, const CoreSlots::Task& task) {
  if (!context.in_background) return context.slots->RunAndWait(task);
  CoreSlot own(context.slots->threads_per_slot());
  task(own);
}

// The engine's work at load: `ask` runs rows where it must. What it throws is the reason of a
// verdict that refuses.
template <typename Verdict>
Verdict AskVerdict(const ServingContext& context, absl::FunctionRef<Verdict(CoreSlot& slot)> ask) {
  Verdict verdict;
  RunForLoad(context, [&](CoreSlot& slot) {
    try {
      verdict = ask(slot);
    } catch (const std::exception& error) {
      verdict.reason = absl::StrCat("the test failed: ", error.what());
    }
  });
  return verdict;
}

void RunWarmUp(absl::string_view label, Model& model, absl::Span<const TensorInfo> inputs,
               const ServingContext& context) {
  absl::Status status;
  RunForLoad(context, [&](CoreSlot& slot) {
    try {
      status = WarmUp(model, inputs, slot);
    } catch (const std::exception& error) {
      status = absl::InternalError(error.what());
    }
  });
  if (!status.ok()) {
    LogInfo(absl::StrCat("model '", label, "' was not warmed up: ", status.message()));
  }
}

absl::Status CheckNarrowed(const TensorInfo& info, const Tensor& tensor) {
  const SymbolicShape& shape = info.type.shape;
  bool fits = !shape.has_rank() || shape.rank() == tensor.rank();
  for (int i = 0; fits && i < shape.rank(); ++i) {
    fits = !shape[i].known() || shape[i].value == tensor.dim(i);
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("input '", info.name, "': expected ",
                                                 info.type.ToString(), " as configured, got ",
                                                 tensor.TypeString()));
}

}  // namespace

struct ServedModel::Parts {
  std::string name;
  int64_t version = 0;
  std::shared_ptr<Model> model;
  ModelOptions options;
  std::string batching_reason;
  inference::ModelConfig config;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::shared_ptr<ModelMetrics> metrics;
  std::shared_ptr<Batcher> batcher;
};

ServedModel::ServedModel(Parts parts)
    : name_(std::move(parts.name)),
      version_(parts.version),
      version_text_(absl::StrCat(parts.version)),
      model_(std::move(parts.model)),
      options_(std::move(parts.options)),
      batching_reason_(std::move(parts.batching_reason)),
      config_(std::move(parts.config)),
      inputs_(std::move(parts.inputs)),
      outputs_(std::move(parts.outputs)),
      has_narrowed_inputs_(!SameShapes(inputs_, model_->inputs())),
      input_indices_(IndexByName(inputs_)),
      output_indices_(IndexByName(outputs_)),
      metrics_(std::move(parts.metrics)),
      batcher_(std::move(parts.batcher)) {}

ServedModel::~ServedModel() { batcher_->Close(); }

absl::StatusOr<std::shared_ptr<ServedModel>> ServedModel::Create(std::string name, int64_t version,
                                                                 std::unique_ptr<Model> model,
                                                                 const ModelOptions& options,
                                                                 const ServingContext& context,
                                                                 absl::Duration load_duration) {
  const absl::Time begin = context.clock->Now();
  const std::string label = absl::StrCat(name, "/", version);
  Parts parts;
  parts.name = std::move(name);
  parts.version = version;
  parts.model = std::move(model);
  parts.options = options;
  parts.inputs = parts.model->inputs();
  RETURN_IF_ERROR(CheckInputsAreCarried(parts.inputs));
  parts.outputs = CarriedOutputs(label, parts.model->outputs());
  if (parts.outputs.empty()) {
    return absl::UnimplementedError("the model has no output that the protocol can carry");
  }

  BatchVerdict verdict;
  if (NeedsVerdict(options, parts.inputs, parts.outputs)) {
    verdict = AskVerdict<BatchVerdict>(
        context, [&](CoreSlot& slot) { return parts.model->CheckBatching(slot); });
  }
  ASSIGN_OR_RETURN(BatchDecision batching,
                   DecideBatching(options, parts.inputs, parts.outputs, verdict));
  parts.options.max_batch_size = batching.max_batch_size;
  parts.batching_reason = std::move(batching.reason);
  PackingVerdict packing;
  if (batching.max_batch_size > 1) {
    packing = AskVerdict<PackingVerdict>(
        context, [&](CoreSlot& slot) { return parts.model->CheckPacking(slot); });
    if (!packing.reason.empty()) {
      absl::StrAppend(
          &parts.batching_reason,
          packing.packs ? "; lengths mixed: " : "; one length a batch: ", packing.reason);
    }
  }
  RETURN_IF_ERROR(ApplyConfiguredSignature(options.config, batching.max_batch_size, &parts.inputs,
                                           &parts.outputs));
  parts.config = CompleteConfig(parts.options, parts.name, context.slots->count(),
                                parts.model->devices(), parts.inputs, parts.outputs);
  RunWarmUp(label, *parts.model, parts.inputs, context);
  if (const std::string report = parts.model->CacheReport(); !report.empty()) {
    LogInfo(absl::StrCat("model '", label, "' ", report));
  }
  if (const PrecisionChoice& precision = parts.model->precision(); !precision.note.empty()) {
    const std::string text = absl::StrCat("model '", label, "': ", precision.note);
    precision.is_warning ? LogWarning(text) : LogInfo(text);
  }

  parts.metrics =
      std::make_shared<ModelMetrics>(context.metrics, parts.name, absl::StrCat(version));
  parts.metrics->SetLoadDuration(load_duration + (context.clock->Now() - begin));
  parts.batcher = std::make_shared<Batcher>(
      Batcher::Parts{label, parts.model, IndicesIn(parts.model->outputs(), parts.outputs),
                     context.slots, context.clock, parts.metrics, packing.packs},
      parts.options);
  std::shared_ptr<ServedModel> served(new ServedModel(std::move(parts)));
  served->RefreshMetrics();
  return served;
}

void ServedModel::PrepareLike(const ServedModel& other) {
  if (!SameInputs(model_->inputs(), other.model_->inputs())) return;
  for (const std::vector<Shape>& shapes : other.model_->PreparedShapes(kMostPrepared)) {
    // A request of these shapes will say what is wrong, if any comes.
    model_->Prepare(shapes).IgnoreError();
  }
}

int ServedModel::InputIndex(absl::string_view name) const {
  const auto it = input_indices_.find(name);
  return it == input_indices_.end() ? -1 : it->second;
}

int ServedModel::OutputIndex(absl::string_view name) const {
  const auto it = output_indices_.find(name);
  return it == output_indices_.end() ? -1 : it->second;
}

const std::vector<std::string>& ServedModel::labels(int output) const {
  const auto it = options_.labels.find(outputs_[output].name);
  return it == options_.labels.end() ? outputs_[output].class_names : it->second;
}

std::vector<int64_t> ServedModel::MetadataShape(const TensorInfo& tensor) {
  std::vector<int64_t> shape;
  for (int i = 0; i < tensor.type.shape.rank(); ++i) {
    const Dim& dim = tensor.type.shape[i];
    shape.push_back(dim.known() ? dim.value : -1);
  }
  return shape;
}

absl::Status ServedModel::CheckRequest(InferRequest& request) const {
  if (request.inputs.size() != inputs_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected ", inputs_.size(), " inputs, got ", request.inputs.size()));
  }
  RETURN_IF_ERROR(model_->CheckInputs(request.inputs));
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (has_narrowed_inputs_) RETURN_IF_ERROR(CheckNarrowed(inputs_[i], request.inputs[i]));
    request.bytes += request.inputs[i].byte_size();
  }
  if (max_batch_size() == 0) return absl::OkStatus();

  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Tensor& input = request.inputs[i];
    const int64_t rows = input.rank() > 0 ? input.dim(0) : 0;
    if (rows < 1 || rows > max_batch_size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "input '", inputs_[i].name, "': expected a batch dimension of 1 to ", max_batch_size(),
          ", the model's max_batch_size, got shape ", input.shape().ToString()));
    }
    if (i == 0) request.rows = rows;
    if (rows == request.rows) continue;
    return absl::InvalidArgumentError(absl::StrCat("input '", inputs_[i].name, "': expected ",
                                                   request.rows, " rows as input '",
                                                   inputs_[0].name, "' has, got ", rows));
  }
  return absl::OkStatus();
}

void ServedModel::Infer(std::unique_ptr<InferRequest> request) {
  absl::Status status = CheckRequest(*request);
  if (status.ok()) {
    batcher_->Enqueue(std::move(request));
    return;
  }
  // Answering may let go of this model.
  const std::shared_ptr<ModelMetrics> metrics = metrics_;
  status = Annotate(status, absl::StrCat("model '", name_, "'"));
  request->complete(status, {});
  metrics->CountFailure(status, absl::ZeroDuration());
  if (request->finish) request->finish();
}

void ServedModel::CountRefusal(const absl::Status& status, absl::Duration duration) {
  metrics_->CountFailure(status, duration);
}

ModelStatistics ServedModel::Statistics() const { return metrics_->Snapshot(); }

void ServedModel::RefreshMetrics() {
  const MemoryUse use = model_->memory_use();
  metrics_->SetMemory(use.weight_bytes, use.arena_bytes, use.workspace_bytes);
}

void ServedModel::Tune(CoreSlots& slots, const std::function<bool()>& stop) {
  absl::StatusOr<TuningReport> report = absl::UnknownError("");
  try {
    report = model_->Tune(slots, stop);
  } catch (const std::exception& error) {
    report = absl::InternalError(error.what());
  }
  const std::string label = absl::StrCat("model '", name_, "/", version_, "' ");
  if (!report.ok()) {
    LogWarning(absl::StrCat(label, "keeps kernels chosen by rule: ", report.status().message()));
    return;
  }
  if (report->steps.empty()) return;
  metrics_->CountTuning(report->time, report->swapped_plans);
  SaveCache();
  LogInfo(absl::StrCat(label, "tuned: ", TuningSummary(report->steps, report->time), "; ",
                       report->swapped_plans, " plans swapped"));
}

void ServedModel::SaveCache() const {
  if (const absl::Status status = model_->SaveCache(); !status.ok()) {
    LogWarning(absl::StrCat("model '", name_, "': ", status.message()));
  }
}

void ServedModel::Drain() { batcher_->Drain(); }

}  // namespace inferd
