#include "engine/engine.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "config/precision.h"
#include "engine/compiled_model.h"
#include "engine/core/status_macros.h"
#include "engine/ops/custom/op_library.h"
#include "engine/plan/model_cache.h"
#include "engine/precision_check.h"
#include "engine/providers/providers.h"
#include "engine/replicated_model.h"

namespace inferd {
namespace {

constexpr absl::string_view kBfloat16Needs =
    "the cpu provider and a processor with AMX, or AVX512_BF16 that is faster than floats";

EngineConfig WithPrecision(EngineConfig config, Precision precision) {
  config.precision = precision;
  return config;
}

bool ComputesBfloat16(const EngineConfig& config) {
  return ComputesIn(Precision::kBfloat16, WithPrecision(config, Precision::kBfloat16));
}

// What a precision that is named gets on this machine.
PrecisionChoice ChoosePrecision(const EngineConfig& config) {
  if (config.precision == Precision::kInt8) {
    return {Precision::kFloat32, "precision int8 is not there yet; fp32 runs", true};
  }
  if (config.precision == Precision::kBfloat16 && !ComputesBfloat16(config)) {
    return {Precision::kFloat32,
            absl::StrCat("precision bf16 needs ", kBfloat16Needs, "; fp32 runs"), true};
  }
  if (config.precision == Precision::kFloat16 && !ComputesIn(Precision::kFloat16, config)) {
    return {Precision::kFloat32, "precision fp16 needs a GPU; fp32 runs", true};
  }
  return {config.precision};
}

// What "auto" comes to for one model, kept in the cache folder. Used by one thread.
class AutoPrecision {
 public:
  AutoPrecision(const std::string& path, const EngineConfig& config)
      : path_(path), config_(config) {}

  absl::StatusOr<std::unique_ptr<Model>> Compile() {
    ASSIGN_OR_RETURN(Compilation floats, CompileAs(Precision::kFloat32));
    if (!ComputesBfloat16(config_)) {
      floats.model->set_precision(
          {Precision::kFloat32, absl::StrCat("precision auto: fp32, bf16 needs ", kBfloat16Needs)});
      return std::move(floats.model);
    }
    std::optional<ModelCache> cache;
    if (!config_.cache_dir.empty()) cache.emplace(config_, floats.identity);
    PrecisionVerdict verdict = cache ? Known(*cache) : PrecisionVerdict();
    const bool known = !verdict.reason.empty();
    Compilation narrow;
    if (!known || verdict.accepted) {
      ASSIGN_OR_RETURN(narrow, CompileAs(Precision::kBfloat16));
    }
    if (!known) {
      verdict = Measure(*floats.model, *narrow.model);
      const std::string text = TextOf(verdict);
      // What could not be kept is measured again.
      if (cache) cache->Save({{SectionName(), text}}).IgnoreError();
    }
    if (!verdict.accepted) {
      // fp16 where the model is stored so.
      const Precision plain = floats.model->precision().precision;
      floats.model->set_precision(
          {plain, absl::StrCat("precision auto: ", plain == Precision::kFloat16 ? "fp16" : "fp32",
                               ", of bf16 ", verdict.reason)});
      return std::move(floats.model);
    }
    narrow.model->set_precision(
        {Precision::kBfloat16, absl::StrCat("precision auto: bf16, ", verdict.reason)});
    return std::move(narrow.model);
  }

 private:
  absl::StatusOr<Compilation> CompileAs(Precision precision) const {
    return CompileIn(path_, WithPrecision(config_, precision));
  }

  std::string SectionName() const {
    return absl::StrCat("precision within ", config_.max_precision_error,
                        config_.deterministic ? "" : " and faster");
  }

  PrecisionVerdict Known(const ModelCache& cache) const {
    const SectionFile* file = cache.file().get();
    const SectionFile::Section* section = file == nullptr ? nullptr : file->Find(SectionName());
    if (section == nullptr) return {};
    return PrecisionVerdictOf({section->bytes.data(), section->bytes.size()});
  }

  PrecisionVerdict Measure(Model& floats, Model& narrow) const {
    CoreSlot slot(config_.threads_per_slot);
    PrecisionVerdict verdict = ComparePrecisions(
        floats, narrow, {config_.max_precision_error, !config_.deterministic}, slot);
    ReleaseOpenMpThreads();
    return verdict;
  }

  const std::string& path_;
  const EngineConfig& config_;
};

absl::StatusOr<std::unique_ptr<Model>> CompileForOneDevice(const std::string& path,
                                                           const EngineConfig& config) {
  if (config.precision == Precision::kAuto) return AutoPrecision(path, config).Compile();
  PrecisionChoice choice = ChoosePrecision(config);
  ASSIGN_OR_RETURN(Compilation compiled, CompileIn(path, WithPrecision(config, choice.precision)));
  choice.precision = compiled.model->precision().precision;
  compiled.model->set_precision(choice);
  return std::move(compiled.model);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> Compile(const std::string& path, const EngineConfig& asked) {
  PrepareThread(asked.threads_per_slot);
  ASSIGN_OR_RETURN(const std::vector<int> ordinals, DeviceOrdinals(asked));
  EngineConfig config = asked;
  std::vector<std::unique_ptr<Model>> replicas;
  std::vector<int> devices;
  PrecisionChoice precision;
  for (const int ordinal : ordinals) {
    config.device_ordinal = ordinal;
    ASSIGN_OR_RETURN(std::unique_ptr<Model> model, CompileForOneDevice(path, config));
    // What the first one runs in, all do.
    if (replicas.empty()) precision = model->precision();
    config.precision = precision.precision;
    devices.insert(devices.end(), model->devices().begin(), model->devices().end());
    replicas.push_back(std::move(model));
  }
  if (replicas.size() == 1 && config.executions_per_device == 0) return std::move(replicas[0]);
  std::unique_ptr<Model> model = ReplicateModel(std::move(replicas), config.executions_per_device);
  model->set_precision(std::move(precision));
  model->set_devices(std::move(devices));
  return model;
}

absl::Status CheckEngineConfig(const EngineConfig& config) {
  RETURN_IF_ERROR(MakeProviders(config).status());
  RETURN_IF_ERROR(DeviceOrdinals(config).status());
  return LoadOpLibraries(config.custom_op_libraries).status();
}

absl::string_view EngineBuildId() { return INFERD_BUILD_ID; }

}  // namespace inferd
