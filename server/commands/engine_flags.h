#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/engine_config.h"
#include "engine/engine.h"

namespace CLI {
class App;
}

namespace inferd {

inline constexpr int kCommandFailed = 1;
inline constexpr int kCommandBadUsage = 2;

// The flags of commands that compile a model. A value type.
struct EngineFlags {
  int threads = 1;
  std::string precision = "fp32";
  std::string provider = "cpu";
  std::string optimization = "all";
  std::vector<std::string> disabled_passes;
  std::vector<std::string> custom_op_libraries;
  std::string cache_dir;
  double tuning_seconds = EngineConfig().tuning_seconds;
  bool deterministic = false;
  bool tf32 = false;
  double max_precision_error = EngineConfig().max_precision_error;
};

// Adds --custom-op-library, which may be given again.
void AddCustomOpFlag(CLI::App& command, std::vector<std::string>* libraries);

// Adds --cache-dir, for commands that call KeepCache.
void AddCacheFlag(CLI::App& command, std::string* folder);

// Adds --tuning-seconds and --deterministic, for commands that call Model::Tune.
void AddTuningFlags(CLI::App& command, double* tuning_seconds, bool* deterministic);

// Adds --threads, --precision, --precision-error, --provider, --optimization, --disable-pass and
// --custom-op-library; `flags` must outlive the parsing.
void AddEngineFlags(CLI::App& command, EngineFlags* flags);

// One core slot of the given threads, with the provider first and the portable kernels last.
EngineConfig ToEngineConfig(const EngineFlags& flags);

// The model, after saying on stderr where its precision is not the one that was named.
absl::StatusOr<std::unique_ptr<Model>> CompileByFlags(const std::string& path,
                                                      const EngineFlags& flags);

// With --cache-dir: says on stderr what was found there, and keeps what the next start can use.
// That it cannot be kept is no failure of the command, so it is only said.
void KeepCache(Model& model);

// Runs a command's body and gives its exit code: 0, or 1 after printing "inferd NAME: message" to
// stderr.
int ExitCodeOf(absl::string_view name, const std::function<absl::Status()>& body);

}  // namespace inferd
