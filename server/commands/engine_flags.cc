#include "server/commands/engine_flags.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "config/precision.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/metrics/log.h"

namespace inferd {
namespace {

constexpr int kMaxThreads = 256;

}  // namespace

void AddCustomOpFlag(CLI::App& command, std::vector<std::string>* libraries) {
  command
      .add_option("--custom-op-library", *libraries,
                  "Shared library of further operators; its code runs in this process")
      ->allow_extra_args(false);
}

void AddCacheFlag(CLI::App& command, std::string* folder) {
  command.add_option("--cache-dir", *folder,
                     "Folder where packed weights are kept for the next start; only this user may "
                     "write there");
}

void AddTuningFlags(CLI::App& command, double* tuning_seconds, bool* deterministic) {
  command
      .add_option("--tuning-seconds", *tuning_seconds,
                  "Core time that may go into measuring which kernels are fastest, per model")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  command.add_flag("--deterministic", *deterministic,
                   "Choose kernels by rule alone: the same bits at every start");
}

void AddEngineFlags(CLI::App& command, EngineFlags* flags) {
  command.add_option("--threads", flags->threads, "Threads of one execution")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  command.add_option("--precision", flags->precision, "What arithmetic may be used")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16", "int8", "auto"}))
      ->capture_default_str();
  command
      .add_option("--precision-error", flags->max_precision_error,
                  "With --precision auto: how far answers may be off, as a share of their size")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option("--provider", flags->provider,
                  "Who runs the nodes that it can: cpu, portable, or a device such as cuda")
      ->capture_default_str();
  command.add_flag("--tf32", flags->tf32, "Devices may round what they multiply as floats to TF32");
  command.add_option("--optimization", flags->optimization, "Which graph passes run")
      ->check(CLI::IsMember({"none", "basic", "all"}))
      ->capture_default_str();
  command
      .add_option("--disable-pass", flags->disabled_passes,
                  "A pass to leave out, by the name that inspect --passes prints; also "
                  "pack_sequences and skip_padding")
      ->allow_extra_args(false);
  AddCustomOpFlag(command, &flags->custom_op_libraries);
}

EngineConfig ToEngineConfig(const EngineFlags& flags) {
  EngineConfig config;
  config.core_slots = 1;
  config.threads_per_slot = flags.threads;
  config.precision = ParsePrecision(flags.precision).value_or(Precision::kFloat32);
  config.providers = {flags.provider};
  config.device_ordinals = {0};  // one is enough for one caller
  config.optimization_level = flags.optimization;
  config.disabled_passes = flags.disabled_passes;
  config.custom_op_libraries = flags.custom_op_libraries;
  config.cache_dir = flags.cache_dir;
  config.tuning_seconds = flags.tuning_seconds;
  config.deterministic = flags.deterministic;
  config.tf32 = flags.tf32;
  config.max_precision_error = flags.max_precision_error;
  return config;
}

absl::StatusOr<std::unique_ptr<Model>> CompileByFlags(const std::string& path,
                                                      const EngineFlags& flags) {
  ASSIGN_OR_RETURN(std::unique_ptr<Model> model, Compile(path, ToEngineConfig(flags)));
  const PrecisionChoice& precision = model->precision();
  if (!precision.note.empty()) {
    precision.is_warning ? LogWarning(precision.note) : LogInfo(precision.note);
  }
  return model;
}

void KeepCache(Model& model) {
  if (model.CacheReport().empty()) return;
  std::fprintf(stderr, "%s\n", absl::StrCat("inferd: ", model.CacheReport()).c_str());
  if (const absl::Status status = model.SaveCache(); !status.ok()) {
    std::fprintf(stderr, "%s\n", absl::StrCat("inferd: ", status.message()).c_str());
  }
}

int ExitCodeOf(absl::string_view name, const std::function<absl::Status()>& body) {
  const absl::Status status = body();
  if (status.ok()) return 0;
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", absl::StrCat("inferd ", name, ": ", status.message()).c_str());
  return kCommandFailed;
}

}  // namespace inferd
