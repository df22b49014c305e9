#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/server_options.h"
#include "engine/core/mutex.h"
#include "server/model/background_tuner.h"
#include "server/model/memory_budget.h"
#include "server/repository/change_detector.h"
#include "server/repository/directory_scan.h"
#include "server/repository/keyed_tasks.h"
#include "server/repository/model_handle.h"
#include "server/repository/model_table.h"
#include "server/repository/staged_folder.h"
#include "server/repository/version_policy.h"

namespace inferd {

// One row of the repository index.
struct ModelIndexRow {
  std::string name;
  std::string version;  // decimal; empty when the model has no version to speak of
  ModelState state = ModelState::kUnknown;
  std::string reason;  // why it is UNAVAILABLE; else empty
};

// Stands for a model without any usable version.
inline constexpr int64_t kNoVersion = 0;

// "model 'm' version 3", or without the version for kNoVersion: for messages.
std::string VersionLabel(absl::string_view name, int64_t version);

// The models of the repository's folders: which versions exist, their states, their handles. Loads
// in its own threads, so that starting returns at once; a model that fails never stops another, and
// a version that is loaded again, or superseded, serves until the new one is READY. The version
// that was superseded last stays in memory, so that going back takes no time. Thread-safe.
class ModelRepository {
 public:
  using CompileFunction = std::function<absl::StatusOr<std::unique_ptr<Model>>(
      const std::string& path, const EngineConfig& config)>;
  // Told a model's name after one of its versions changed state, on any thread, without locks held;
  // an empty name once the first scan is done.
  using StateListener = std::function<void(const std::string& model_name)>;
  // Told once how a load or unload ended, on any thread, without locks held.
  using Done = std::function<void(const absl::Status& status)>;

  // `compile` is inferd::Compile, or a fake in tests.
  ModelRepository(RepositoryOptions options, EngineConfig engine, ServingContext context,
                  CompileFunction compile);
  // Waits for loads under way; those not begun are given up.
  ~ModelRepository();
  ModelRepository(const ModelRepository&) = delete;
  ModelRepository& operator=(const ModelRepository&) = delete;

  // Call before Start().
  void SetStateListener(StateListener listener) { listener_ = std::move(listener); }

  // Scans the folders and begins to load what they hold, or under explicit control what the options
  // name. NOT_FOUND when a folder or such a model does not exist.
  absl::Status Start();

  // Explicit control: loads a model, or what of it changed since it was loaded; with overrides from
  // them. Codes: INVALID_ARGUMENT, NOT_FOUND (no such folder), UNAVAILABLE (another control mode),
  // RESOURCE_EXHAUSTED (too many wait), those of loading.
  void Load(const std::string& name, ModelOverrides overrides, Done done);
  // Explicit control: requests that have begun are answered, further ones refused.
  void Unload(const std::string& name, Done done);

  // The newest READY version for an empty `version`, else that version or the one that an alias
  // stands for. Codes: INVALID_ARGUMENT (neither a number nor an alias), NOT_FOUND (unknown model
  // or version, or it could not be loaded), UNAVAILABLE (loading, unloading or draining). Takes no
  // lock that other models' requests take.
  absl::StatusOr<ModelHandle> Get(absl::string_view name, absl::string_view version) const;

  // READY versions of a model, ascending; empty for an unknown model.
  std::vector<int64_t> ReadyVersions(absl::string_view name) const;
  // Every READY version of every model.
  std::vector<ModelHandle> ReadyModels() const;
  // True when the model has been found, whatever its state, and was not unloaded.
  bool Knows(absl::string_view name) const;
  // True when at least one version is READY.
  bool IsReady(absl::string_view name) const { return !ReadyVersions(name).empty(); }

  // Sorted by name, then version.
  std::vector<ModelIndexRow> Index() const;

  // Every version found by Start() has been READY or UNAVAILABLE once (later loads do not count).
  bool AllFinal() const { return started_ && initial_pending_ == 0; }
  // Some version is READY, or none is wanted at all.
  bool AnyReady() const;
  // No version that is wanted is in another state than READY.
  bool AllReady() const;
  // Ready to serve: AllFinal, and AnyReady (strict: AllReady).
  bool Ready(bool strict) const { return AllFinal() && (strict ? AllReady() : AnyReady()); }

  // New requests for any model get UNAVAILABLE.
  void Drain() { draining_ = true; }

  // Brings the gauges of the models' memory up to date; call before the metrics are written.
  void RefreshMetrics() const;

 private:
  // What was loaded for a version, and the version that was superseded last.
  struct Loaded {
    std::map<int64_t, std::string> sources;
    int64_t standby_version = 0;
    std::string standby_source;
    ModelHandle standby;
  };

  absl::StatusOr<std::vector<ModelFolder>> ScanAll() const;
  bool LoadsAtStart(const std::string& name) const;
  // Enters a model's versions as LOADING and submits their loading.
  void Announce(ModelFolder folder);
  // Brings what is served of a model in line with its folder. Called by the model's tasks alone, as
  // what follows. `initial`: counts the versions that are done.
  absl::Status Apply(const ModelFolder& folder, bool initial);
  absl::StatusOr<std::shared_ptr<const ModelOptions>> OptionsOf(const ModelFolder& folder) const;
  void Refuse(ModelEntry* entry, const ModelFolder& folder, const absl::Status& status);
  // Enters what the folder lacks; the status says so when it has no version at all.
  absl::Status EnterMissing(ModelEntry* entry, const ModelFolder& folder,
                            const VersionChoice& choice);
  // At low priority, unless `initial`.
  absl::Status LoadVersion(ModelEntry* entry, const ModelFolder& folder, int64_t version,
                           const std::shared_ptr<const ModelOptions>& options, bool initial);
  absl::StatusOr<ModelHandle> Build(const ModelEntry& entry, const ModelFolder& folder,
                                    int64_t version, const ModelOptions& options, bool initial);
  // Memory for a load, of superseded versions if need be; null without a cap.
  absl::StatusOr<std::unique_ptr<MemoryBudget::Claim>> ClaimMemory(int64_t file_bytes);
  // Takes down the versions that are not among `wanted`, unless none of those is READY.
  void Retire(ModelEntry* entry, const std::vector<int64_t>& wanted);
  void UnloadAll(ModelEntry* entry);
  absl::StatusOr<ModelFolder> FolderOf(const std::string& name) const;
  absl::Status LoadNow(const std::string& name, const ModelOverrides& overrides);
  void PollLoop();
  void Notify(const std::string& model_name) const;

  const RepositoryOptions options_;
  const EngineConfig engine_;
  const ServingContext context_;
  const CompileFunction compile_;
  StateListener listener_;
  const std::shared_ptr<ModelTable> table_;  // also of handles that outlive this object
  std::atomic<bool> started_{false};
  std::atomic<bool> draining_{false};
  std::atomic<int> initial_pending_{0};

  mutable Mutex mutex_;
  CondVar wake_;
  std::map<std::string, Loaded> loaded_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  ChangeDetector detector_;
  std::thread poller_;
  std::unique_ptr<KeyedTasks> tasks_;
  std::unique_ptr<BackgroundTuner> tuner_;
};

}  // namespace inferd
