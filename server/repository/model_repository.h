#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/server_options.h"
#include "engine/core/mutex.h"
#include "server/model/background_tuner.h"
#include "server/repository/directory_scan.h"
#include "server/repository/model_handle.h"
#include "server/repository/model_table.h"

namespace inferd {

// One row of the repository index.
struct ModelIndexRow {
  std::string name;
  std::string version;  // decimal; empty when the model has no version to speak of
  ModelState state = ModelState::kUnknown;
  std::string reason;  // why it is UNAVAILABLE; else empty
};

// The models of the repository's folders: which versions exist, their states, their handles. Loads
// in its own threads, so that starting returns at once; a model that fails never stops another.
// Thread-safe.
class ModelRepository {
 public:
  using CompileFunction = std::function<absl::StatusOr<std::unique_ptr<Model>>(
      const std::string& path, const EngineConfig& config)>;
  // Told a model's name after one of its versions changed state, on any thread, without locks held;
  // an empty name once the first scan is done.
  using StateListener = std::function<void(const std::string& model_name)>;

  // `compile` is inferd::Compile, or a fake in tests.
  ModelRepository(RepositoryOptions options, EngineConfig engine, ServingContext context,
                  CompileFunction compile);
  // Waits for loads under way; those not begun are given up.
  ~ModelRepository();
  ModelRepository(const ModelRepository&) = delete;
  ModelRepository& operator=(const ModelRepository&) = delete;

  // Call before Start().
  void SetStateListener(StateListener listener) { listener_ = std::move(listener); }

  // Scans the folders and begins to load what they hold. NOT_FOUND when one does not exist.
  absl::Status Start();

  // The newest READY version for an empty `version`, else that version. Codes: INVALID_ARGUMENT
  // (not a version number), NOT_FOUND (unknown model or version, or it could not be loaded),
  // UNAVAILABLE (loading, unloading or draining). Takes no lock that other models' requests take.
  absl::StatusOr<ModelHandle> Get(absl::string_view name, absl::string_view version) const;

  // READY versions of a model, ascending; empty for an unknown model.
  std::vector<int64_t> ReadyVersions(absl::string_view name) const;
  // Every READY version of every model.
  std::vector<ModelHandle> ReadyModels() const;
  // True when the model has been found, whatever its state.
  bool Knows(absl::string_view name) const { return table_.Find(name) != nullptr; }
  // True when at least one version is READY.
  bool IsReady(absl::string_view name) const { return !ReadyVersions(name).empty(); }

  // Sorted by name, then version.
  std::vector<ModelIndexRow> Index() const;

  // Every version found by Start() has been READY or UNAVAILABLE once (later loads do not count).
  bool AllFinal() const { return started_ && initial_pending_ == 0; }
  // Some version is READY, or no model was found at all.
  bool AnyReady() const;
  // No version is in another state than READY.
  bool AllReady() const;
  // Ready to serve: AllFinal, and AnyReady (strict: AllReady).
  bool Ready(bool strict) const { return AllFinal() && (strict ? AllReady() : AnyReady()); }

  // New requests for any model get UNAVAILABLE.
  void Drain() { draining_ = true; }

  // Brings the gauges of the models' memory up to date; call before the metrics are written.
  void RefreshMetrics() const;

 private:
  struct LoadTask {
    ModelEntry* entry = nullptr;
    int64_t version = 0;
    std::string path;
    std::shared_ptr<const ModelOptions> options;
  };

  // Enters a model's versions into the table; those to be loaded are added to `tasks`.
  void AddModel(const ModelFolder& folder, std::vector<LoadTask>* tasks);
  void LoadLoop();
  // Null when it could not be loaded.
  ModelHandle Load(const LoadTask& task);
  bool stopping() const;
  absl::StatusOr<ModelHandle> Build(const LoadTask& task);
  void Notify(const std::string& model_name) const;

  const RepositoryOptions options_;
  const EngineConfig engine_;
  const ServingContext context_;
  const CompileFunction compile_;
  StateListener listener_;
  ModelTable table_;
  std::atomic<bool> started_{false};
  std::atomic<bool> draining_{false};
  std::atomic<int> initial_pending_{0};

  mutable Mutex mutex_;
  std::deque<LoadTask> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> loaders_;
  std::unique_ptr<BackgroundTuner> tuner_;
};

}  // namespace inferd
