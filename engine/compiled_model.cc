#include "engine/compiled_model.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/batch_check.h"
#include "engine/core/status_macros.h"
#include "engine/input_check.h"
#include "engine/onnx/importer.h"
#include "engine/onnx/map_outputs.h"
#include "engine/ops/custom/op_library.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/batch_analysis.h"
#include "engine/passes/pass.h"
#include "engine/passes/widen_float16.h"
#include "engine/plan/binder.h"
#include "engine/plan/device_weights.h"
#include "engine/plan/kernel_choices.h"
#include "engine/plan/model_cache.h"
#include "engine/plan/plan_builder.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/device.h"
#include "engine/providers/providers.h"
#include "engine/runtime/plan_cache.h"
#include "engine/sequence_packing.h"

namespace inferd {
namespace {

// Sizes tried for free dimensions when the engine itself needs a shape; models may need a least
// one.
constexpr int64_t kFreeDims[] = {8, 32, 224};
// Batch sizes of the row analysis: primes that no other dimension is likely to have.
constexpr int64_t kAnalysisBatches[] = {7, 11};
constexpr absl::string_view kChoicesSection = "kernel choices";
constexpr absl::string_view kBatchingSection = "batching";
constexpr absl::string_view kPackingSection = "packing";

TensorInfo InfoOf(const Graph& graph, const std::string& name, const ValueType& type) {
  TensorInfo info;
  info.name = name;
  info.type = type;
  for (const Dim& dim : type.shape.dims()) {
    info.dim_names.push_back(dim.known()       ? absl::StrCat(dim.value)
                             : dim.symbol >= 0 ? graph.symbols()[dim.symbol]
                                               : "?");
  }
  return info;
}

// Bytes of the constants that are in memory for good; two values may share storage.
int64_t ConstantBytes(const Graph& graph) {
  int64_t bytes = 0;
  std::set<const void*> seen;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || constant->recoverable() != nullptr) continue;
    if (seen.insert(constant->address()).second) bytes += constant->byte_size();
  }
  return bytes;
}

class CompiledModel : public Model {
 public:
  CompiledModel(EngineConfig config, std::shared_ptr<const OpRegistry> registry,
                std::vector<std::unique_ptr<ExecutionProvider>> providers, ImportedModel imported)
      : config_(std::move(config)),
        registry_(std::move(registry)),
        providers_(std::move(providers)),
        cache_(config_.cache_dir.empty()
                   ? nullptr
                   : std::make_unique<ModelCache>(config_, imported.identity)),
        recovery_(std::move(imported.recovery)),
        tuning_budget_(absl::Seconds(config_.tuning_seconds)),
        graph_(std::move(imported.graph)),
        metadata_(std::move(imported.metadata)),
        plans_(config_.max_plans,
               [this](const std::vector<Shape>& shapes) { return Bind(shapes); }) {
    if (cache_ == nullptr) return;
    weights_.UseCache(cache_->file());
    TakeCachedChoices();
  }

  absl::Status Optimize() {
    const RecoverySet::Reading reading(*recovery_);
    const absl::Status status = OptimizeGraph();
    RETURN_IF_ERROR(reading.status());
    return status;
  }

  absl::Status OptimizeGraph() {
    original_dump_ = graph_.ToString();
    std::map<std::string, std::vector<std::string>> classes;
    if (config_.maps_as_scores) classes = ReplaceMapOutputs(graph_);
    RETURN_IF_ERROR(graph_.SortAndCompact());
    graph_.RemoveDeadNodes();
    RETURN_IF_ERROR(graph_.SortAndCompact());
    RETURN_IF_ERROR(InferGraph(graph_));
    // The signature is that of the file, before any pass.
    for (ValueId id : graph_.inputs()) {
      inputs_.push_back(InfoOf(graph_, graph_.value(id).name, graph_.value(id).type));
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueType& type = graph_.value(graph_.outputs()[i]).type;
      outputs_.push_back(InfoOf(graph_, graph_.output_name(static_cast<int>(i)), type));
      if (const auto it = classes.find(outputs_.back().name); it != classes.end()) {
        outputs_.back().class_names = it->second;
      }
    }
    ASSIGN_OR_RETURN(pass_results_, RunPasses(GraphPasses(), graph_, {config_, providers_}));
    packing_.emplace(inputs_, config_.max_plans, recovery_, PackingFunctions());
    return absl::OkStatus();
  }

  const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  const ModelMetadata& metadata() const override { return metadata_; }

  absl::Status Run(CoreSlot& slot, absl::Span<const Tensor> inputs,
                   std::vector<Tensor>* outputs) override {
    RETURN_IF_ERROR(CheckInputs(inputs));
    // Where this fails, all that was asked for is computed, with errors that speak of it.
    if (packing_->PaysForPadding(inputs) && RunWithoutPadding(slot, inputs, outputs)) {
      return absl::OkStatus();
    }
    const std::vector<Shape> shapes = ShapesOf(inputs);
    ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor, plans_.BorrowExecutor(shapes));
    absl::Status status = executor->Run(slot, inputs, outputs);
    plans_.ReturnExecutor(shapes, std::move(executor));
    if (!status.ok()) LeaveLostDevices();
    return status;
  }

  absl::Status RunProfiled(CoreSlot& slot, absl::Span<const Tensor> inputs,
                           ModelProfile* profile) override {
    RETURN_IF_ERROR(CheckInputs(inputs));
    const std::vector<Shape> shapes = ShapesOf(inputs);
    ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor, plans_.BorrowExecutor(shapes));
    absl::Status status = executor->RunProfiled(slot, inputs, profile);
    plans_.ReturnExecutor(shapes, std::move(executor));
    return status;
  }

  absl::Status CheckInputs(absl::Span<const Tensor> inputs) const override {
    return inferd::CheckInputs(inputs, inputs_, graph_.symbols());
  }

  absl::Status Prepare(absl::Span<const Shape> input_shapes) override {
    const absl::Status status = plans_.PlanFor({input_shapes.begin(), input_shapes.end()}).status();
    ReleaseOpenMpThreads();
    return status;
  }

  std::vector<std::vector<Shape>> PreparedShapes(size_t limit) const override {
    return plans_.MostUsed(limit);
  }

  BatchVerdict CheckBatching(CoreSlot& slot) override {
    const std::string known = CachedText(kBatchingSection);
    // Its first character is the safety.
    BatchVerdict verdict;
    if (known.empty() || !IsPositive(known[0])) {
      verdict = DecideBatching(slot);
    } else {
      verdict = {static_cast<BatchSafety>(known[0] - '0'), known.substr(1)};
    }
    if (verdict.safety != BatchSafety::kRefused) {
      Remember(kBatchingSection, absl::StrCat(static_cast<int>(verdict.safety), verdict.reason));
    }
    return verdict;
  }

  BatchVerdict DecideBatching(CoreSlot& slot) {
    RowAnalysis analysis;
    int64_t free_dim = kFreeDims[0];
    for (int64_t batch : kAnalysisBatches) {
      const RecoverySet::Reading reading(*recovery_);
      const absl::StatusOr<Graph> bound = BindAnyShapes(batch, &free_dim);
      if (!bound.ok()) {
        return {
            BatchSafety::kRefused,
            absl::StrCat("no batch of ", batch, " rows can be bound: ", bound.status().message())};
      }
      analysis = AnalyzeRows(*bound, batch);
      if (!analysis.row_by_row) break;
    }
    if (analysis.row_by_row) return {BatchSafety::kProven, analysis.reason};
    BatchVerdict verdict = TestBatching(*this, slot, free_dim);
    verdict.reason = absl::StrCat(verdict.reason, " (no proof: ", analysis.reason, ")");
    return verdict;
  }

  PackingVerdict CheckPacking(CoreSlot& slot) override {
    if (!packing_->TakesSequences()) return {};
    if (IsOff("pack_sequences")) return {.reason = "pack_sequences is switched off"};
    PackingVerdict verdict = PackingVerdictOf(CachedText(kPackingSection));
    if (verdict.packs) {
      packing_->SkipPadding(verdict.padding_mask);
    } else {
      verdict = TestPacking(*this, *packing_, IsOff("skip_padding"), slot);
    }
    if (verdict.packs) Remember(kPackingSection, TextOf(verdict));
    return verdict;
  }

  absl::Status RunPacked(CoreSlot& slot, absl::Span<const absl::Span<const Tensor>> requests,
                         std::vector<std::vector<Tensor>>* outputs) override {
    for (const absl::Span<const Tensor> request : requests) RETURN_IF_ERROR(CheckInputs(request));
    absl::Status status = packing_->Run(slot, requests, outputs);
    if (!status.ok()) LeaveLostDevices();
    return status;
  }

  absl::StatusOr<TuningReport> Tune(CoreSlots& slots, const std::function<bool()>& stop) override {
    TuningReport report;
    if (config_.deterministic) return report;
    const absl::Duration before = tuning_budget_;
    KernelTuner tuner({providers_, &choices_, &slots, stop, config_.threads_per_slot, &weights_});
    absl::Status status;
    while (status.ok() && tuning_budget_ > absl::ZeroDuration() && !(stop && stop())) {
      const std::optional<std::vector<Shape>> shapes = plans_.TakeUntuned();
      if (!shapes) break;
      status = TunePlan(*shapes, tuner, &report);
    }
    report.time = before - tuning_budget_;
    ReleaseOpenMpThreads();
    RETURN_IF_ERROR(status);
    return report;
  }

  MemoryUse memory_use() const override {
    MemoryUse use;
    use.weight_bytes =
        ConstantBytes(graph_) + recovery_->resident_bytes() + weights_.packed_bytes();
    use.device_weight_bytes = device_weights_.bytes();
    const PlanCache& packed = packing_->plans();
    use.arena_bytes = std::max(plans_.largest_arena_bytes(), packed.largest_arena_bytes());
    use.workspace_bytes =
        std::max(plans_.largest_workspace_bytes(), packed.largest_workspace_bytes());
    use.plans = plans_.num_plans() + packed.num_plans();
    return use;
  }

  bool has_lost_device() const override {
    return std::any_of(providers_.begin(), providers_.end(), [](const auto& provider) {
      return provider->device() != nullptr && !provider->device()->usable();
    });
  }

  absl::Status SaveCache() override {
    if (cache_ == nullptr) return absl::OkStatus();
    // What is collected last is written last.
    MutexLock lock(&saving_);
    std::vector<std::shared_ptr<const PackedWeights>> owners;
    std::vector<SectionFile::Section> sections = weights_.Sections(&owners);
    const std::string choices = choices_.ToText();
    if (!choices.empty()) sections.push_back({std::string(kChoicesSection), choices});
    for (const auto& [name, text] : verdicts_) sections.push_back({name, text});
    return Annotate(cache_->Save(std::move(sections)), "cache");
  }
  std::string CacheReport() const override { return cache_ == nullptr ? "" : cache_->report(); }

  std::string GraphDump() const override { return graph_.ToString(); }
  std::string OriginalGraphDump() const override { return original_dump_; }
  std::string PassReport() const override { return inferd::PassReport(pass_results_); }

  absl::StatusOr<std::string> PlanDump(absl::Span<const Shape> input_shapes) override {
    ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan,
                     plans_.PlanFor({input_shapes.begin(), input_shapes.end()}));
    return plan->ToString();
  }

 private:
  bool IsOff(absl::string_view pass) const {
    const auto& off = config_.disabled_passes;
    return std::find(off.begin(), off.end(), pass) != off.end();
  }

  bool RunWithoutPadding(CoreSlot& slot, absl::Span<const Tensor> inputs,
                         std::vector<Tensor>* outputs) {
    std::vector<std::vector<Tensor>> all;
    if (!packing_->Run(slot, {inputs}, &all).ok()) return false;
    *outputs = std::move(all[0]);
    return true;
  }

  static std::vector<Shape> ShapesOf(absl::Span<const Tensor> inputs) {
    std::vector<Shape> shapes;
    shapes.reserve(inputs.size());
    for (const Tensor& input : inputs) shapes.push_back(input.shape());
    return shapes;
  }

  absl::StatusOr<std::shared_ptr<const Plan>> Bind(const std::vector<Shape>& shapes) {
    const RecoverySet::Reading reading(*recovery_);
    absl::StatusOr<std::shared_ptr<const Plan>> plan = BindUnderReading(shapes);
    RETURN_IF_ERROR(reading.status());
    return plan;
  }

  absl::StatusOr<std::shared_ptr<const Plan>> BindUnderReading(const std::vector<Shape>& shapes) {
    ASSIGN_OR_RETURN(const Graph bound, BoundGraph(shapes));
    return BuildPlan(bound, Options());
  }

  // What plans are made of.
  absl::StatusOr<Graph> BoundGraph(const std::vector<Shape>& shapes) const {
    ASSIGN_OR_RETURN(Graph bound, BindShapes(graph_, shapes));
    RETURN_IF_ERROR(RunPasses(BoundPasses(), bound, {config_, providers_}).status());
    return bound;
  }

  absl::Status TunePlan(const std::vector<Shape>& shapes, KernelTuner& tuner,
                        TuningReport* report) {
    const RecoverySet::Reading reading(*recovery_);
    ASSIGN_OR_RETURN(const Graph bound, BoundGraph(shapes));
    ASSIGN_OR_RETURN(std::vector<TunedStep> steps, tuner.Tune(bound, &tuning_budget_));
    RETURN_IF_ERROR(reading.status());
    const bool changed =
        std::any_of(steps.begin(), steps.end(), [](const TunedStep& step) { return step.changed; });
    std::move(steps.begin(), steps.end(), std::back_inserter(report->steps));
    if (!changed) return absl::OkStatus();
    ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, BuildPlan(bound, Options()));
    RETURN_IF_ERROR(reading.status());
    plans_.Replace(shapes, std::move(plan));
    ++report->swapped_plans;
    return absl::OkStatus();
  }

  // Plans that use a device that does not answer any more make room for others, in which the
  // partition leaves it out.
  void LeaveLostDevices() {
    if (!config_.device_fallback) return;
    if (!has_lost_device() || left_devices_.exchange(true)) return;
    plans_.Clear();
    packing_->plans().Clear();
  }

  static bool IsPositive(char safety) {
    return safety == '0' + static_cast<int>(BatchSafety::kProven) ||
           safety == '0' + static_cast<int>(BatchSafety::kTested);
  }

  // A section of an earlier start's file that is text; empty where there is none.
  std::string CachedText(absl::string_view name) const {
    const SectionFile* file = cache_ == nullptr ? nullptr : cache_->file().get();
    const SectionFile::Section* section = file == nullptr ? nullptr : file->Find(name);
    return section == nullptr ? "" : std::string(section->bytes.data(), section->bytes.size());
  }
  // Positive verdicts are kept: the next start has the same model, build and processor. Others may
  // have had a cause that goes away.
  void Remember(absl::string_view section, std::string verdict) {
    MutexLock lock(&saving_);
    verdicts_[std::string(section)] = std::move(verdict);
  }

  // What an earlier start measured. Choices that cannot be read are measured again.
  void TakeCachedChoices() {
    if (!config_.deterministic) choices_.AddText(CachedText(kChoicesSection)).IgnoreError();
  }

  PlanOptions Options() {
    PlanOptions options;
    options.providers = providers_;
    options.weights = &weights_;
    options.device_weights = &device_weights_;
    options.choices = &choices_;
    options.threads = config_.threads_per_slot;
    options.max_arena_bytes = config_.max_arena_bytes;
    options.config = &config_;
    return options;
  }

  SequencePacking::Functions PackingFunctions() {
    return {.bind = [this](const std::vector<Shape>& shapes) -> absl::StatusOr<Graph> {
              ASSIGN_OR_RETURN(Graph bound, BindShapes(graph_, shapes));
              const EngineConfig plain = SequencePacking::ConfigToBind(config_);
              RETURN_IF_ERROR(RunPasses(BoundPasses(), bound, {plain, providers_}).status());
              return bound;
            },
            .build = [this](Graph graph) -> absl::StatusOr<std::shared_ptr<const Plan>> {
              RETURN_IF_ERROR(RunPasses(BoundPasses(), graph, {config_, providers_}).status());
              return BuildPlan(graph, Options());
            }};
  }

  // The graph with dimension 0 of every input bound to `batch` and other free dimensions to the
  // first size that works, starting with `free_dim`, which is set to it.
  absl::StatusOr<Graph> BindAnyShapes(int64_t batch, int64_t* free_dim) const {
    absl::StatusOr<Graph> bound = absl::InternalError("not tried");
    for (int64_t size : kFreeDims) {
      if (size < *free_dim) continue;
      std::vector<Shape> shapes;
      for (const TensorInfo& info : inputs_) {
        Shape shape;
        for (int d = 0; d < info.type.shape.rank(); ++d) {
          const Dim& dim = info.type.shape[d];
          shape.push_back(dim.known() ? dim.value : d == 0 ? batch : size);
        }
        shapes.push_back(std::move(shape));
      }
      bound = BindShapes(graph_, shapes);
      if (!bound.ok()) continue;
      *free_dim = size;
      return bound;
    }
    return bound;
  }

  const EngineConfig config_;
  const std::shared_ptr<const OpRegistry> registry_;  // outlives the graph and the plans
  const std::vector<std::unique_ptr<ExecutionProvider>> providers_;
  const std::unique_ptr<ModelCache> cache_;  // null without a folder
  Mutex saving_;
  std::map<std::string, std::string> verdicts_ ABSL_GUARDED_BY(saving_);
  const std::shared_ptr<RecoverySet> recovery_;
  WeightStore weights_;  // outlives the plans, whose kernels hold parts of it
  DeviceWeights device_weights_;
  KernelChoices choices_;
  absl::Duration tuning_budget_;  // what is left
  Graph graph_;
  const ModelMetadata metadata_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  std::vector<PassResult> pass_results_;
  std::string original_dump_;
  PlanCache plans_;
  std::atomic<bool> left_devices_{false};
  std::optional<SequencePacking> packing_;
};

}  // namespace

absl::StatusOr<Compilation> CompileIn(const std::string& path, const EngineConfig& config) {
  ASSIGN_OR_RETURN(auto providers, MakeProviders(config));
  ASSIGN_OR_RETURN(std::shared_ptr<const OpRegistry> registry,
                   LoadOpLibraries(config.custom_op_libraries));
  ASSIGN_OR_RETURN(ImportedModel imported, ImportOnnx(path, config.max_model_bytes, *registry));
  const std::string identity = imported.identity;
  const bool on_device = std::any_of(providers.begin(), providers.end(), [](const auto& provider) {
    return provider->device() != nullptr;
  });
  EngineConfig own = config;
  // Stored in float16, it is one of floats in that precision where there is such arithmetic.
  if (config.precision == Precision::kFloat32 && ComputesIn(Precision::kFloat16, config) &&
      HasFloat16Weights(imported.graph)) {
    own.precision = Precision::kFloat16;
  }
  auto model = std::make_unique<CompiledModel>(own, std::move(registry), std::move(providers),
                                               std::move(imported));
  if (absl::Status status = model->Optimize(); !status.ok()) return Annotate(status, path);
  model->set_precision({own.precision});
  if (on_device) model->set_devices({config.device_ordinal});
  ReleaseOpenMpThreads();
  return Compilation{std::move(model), identity};
}

}  // namespace inferd
