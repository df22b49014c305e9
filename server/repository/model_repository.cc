#include "server/repository/model_repository.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"
#include "server/repository/background_load.h"
#include "server/repository/label_file.h"
#include "server/repository/model_engine_config.h"
#include "server/repository/track_unload.h"
#include "server/repository/version_guard.h"
#include "server/repository/version_policy.h"
#include "server/scheduler/clock.h"

namespace inferd {
namespace {

// Reasons travel in gRPC trailers, which are short.
constexpr size_t kMaxReasonBytes = 2000;

std::string ReasonOf(const absl::Status& status) {
  return std::string(status.message().substr(0, kMaxReasonBytes));
}

// What a version is loaded from: a version whose source is equal need not be loaded again.
std::string SourceOf(const ModelFolder& folder, int64_t version) {
  const auto files = folder.files.find(version);
  return absl::StrCat(folder.config_text, "\n",
                      files == folder.files.end() ? "" : files->second.fingerprint);
}

absl::string_view ControlName(ModelControl control) {
  switch (control) {
    case ModelControl::kNone:
      return "none";
    case ModelControl::kPoll:
      return "poll";
    case ModelControl::kExplicit:
      return "explicit";
  }
  return "none";
}

}  // namespace

ModelRepository::ModelRepository(RepositoryOptions options, EngineConfig engine,
                                 ServingContext context, CompileFunction compile)
    : options_(std::move(options)),
      engine_(std::move(engine)),
      context_(context),
      compile_(std::move(compile)),
      table_(std::make_shared<ModelTable>()) {
  const int threads =
      options_.load_threads > 0 ? options_.load_threads : std::min(4, context_.slots->count());
  tasks_ =
      std::make_unique<KeyedTasks>(threads, [this] { PrepareThread(engine_.threads_per_slot); });
}

ModelRepository::~ModelRepository() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.SignalAll();
  if (poller_.joinable()) poller_.join();
  tuner_.reset();
  // Tasks may submit others to the end.
  tasks_->Stop();
}

absl::Status ModelRepository::Start() {
  const absl::Time began = absl::Now();
  RETURN_IF_ERROR(CheckDigestList(options_.digests_path));
  ASSIGN_OR_RETURN(std::vector<ModelFolder> models, ScanAll());
  for (const std::string& name : options_.startup_models) {
    const bool found = name == "*" || std::any_of(models.begin(), models.end(),
                                                  [&](const auto& m) { return m.name == name; });
    if (!found) {
      return absl::NotFoundError(
          absl::StrCat("--load-model: no folder '", name, "' in the model repository"));
    }
  }
  detector_.Update(models, began);
  for (ModelFolder& folder : models) {
    if (LoadsAtStart(folder.name)) {
      Announce(std::move(folder));
    } else {
      const int64_t version = folder.versions.empty() ? kNoVersion : folder.versions.back();
      table_->Add(folder.name)
          ->Set(version, {ModelState::kUnavailable, "not loaded", nullptr, /*wanted=*/false});
    }
  }
  started_ = true;
  if (initial_pending_ == 0 && options_.control != ModelControl::kExplicit) {
    LogWarning("no model to load was found");
  }
  if (options_.control == ModelControl::kPoll) poller_ = std::thread([this] { PollLoop(); });
  if (!engine_.deterministic && engine_.tuning_seconds > 0) {
    tuner_ = std::make_unique<BackgroundTuner>(context_.slots, [this] {
      // Loading comes first.
      return AllFinal() && !draining_ ? ReadyModels() : std::vector<ModelHandle>();
    });
  }
  Notify("");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ModelFolder>> ModelRepository::ScanAll() const {
  std::vector<ModelFolder> models;
  std::set<std::string> names;
  for (const std::string& path : options_.paths) {
    ASSIGN_OR_RETURN(RepositoryScan scan, ScanRepository(path));
    // Said once, not at every look.
    const auto warn = [this](const std::string& text) {
      started_ ? LogDebug(text) : LogWarning(text);
    };
    for (const std::string& warning : scan.warnings) warn(warning);
    for (ModelFolder& folder : scan.models) {
      if (names.insert(folder.name).second) {
        models.push_back(std::move(folder));
      } else {
        warn(absl::StrCat("folder '", folder.path, "' is ignored: model '", folder.name,
                          "' was found before"));
      }
    }
  }
  return models;
}

bool ModelRepository::LoadsAtStart(const std::string& name) const {
  if (options_.control != ModelControl::kExplicit) return true;
  return std::any_of(options_.startup_models.begin(), options_.startup_models.end(),
                     [&](const std::string& wanted) { return wanted == "*" || wanted == name; });
}

void ModelRepository::Announce(ModelFolder folder) {
  ModelEntry* entry = table_->Add(folder.name);
  const auto options = OptionsOf(folder);
  if (!options.ok()) {
    Refuse(entry, folder, options.status());
    return;
  }
  const VersionChoice choice = ChooseVersions((*options)->version_policy, folder.versions);
  EnterMissing(entry, folder, choice).IgnoreError();
  if (choice.serve.empty()) return;
  for (const int64_t version : choice.serve) entry->SetState(version, ModelState::kLoading);
  initial_pending_ += static_cast<int>(choice.serve.size());
  const std::string name = folder.name;
  tasks_->SubmitAnyway(name, [this, folder = std::move(folder)](bool run) {
    if (run) Apply(folder, /*initial=*/true).IgnoreError();
  });
}

absl::StatusOr<std::shared_ptr<const ModelOptions>> ModelRepository::OptionsOf(
    const ModelFolder& folder) const {
  RETURN_IF_ERROR(folder.config_status);
  ASSIGN_OR_RETURN(ModelOptions options, ParseModelOptions(folder.config_text, folder.name));
  RETURN_IF_ERROR(ReadLabels(folder.path, &options));
  if (options.config.dynamic_batching().default_queue_policy().max_queue_size() == 0) {
    options.max_queue_requests = options_.max_queue_requests;
  }
  return std::make_shared<const ModelOptions>(std::move(options));
}

void ModelRepository::Refuse(ModelEntry* entry, const ModelFolder& folder,
                             const absl::Status& status) {
  LogError(absl::StrCat(VersionLabel(folder.name, kNoVersion), ": ", status.message()));
  // What is served already stays.
  if (entry->Newest() != nullptr) return;
  const int64_t version = folder.versions.empty() ? kNoVersion : folder.versions.back();
  entry->SetState(version, ModelState::kUnavailable, ReasonOf(status));
}

absl::Status ModelRepository::Apply(const ModelFolder& folder, bool initial) {
  ModelEntry* entry = table_->Add(folder.name);
  const auto options = OptionsOf(folder);
  if (!options.ok()) {
    Refuse(entry, folder, options.status());
    Notify(folder.name);
    return options.status();
  }
  for (const std::string& note : (*options)->notes) {
    LogWarning(absl::StrCat(VersionLabel(folder.name, kNoVersion), ": ", note));
  }
  entry->SetAliases((*options)->version_aliases);
  const VersionChoice choice = ChooseVersions((*options)->version_policy, folder.versions);
  absl::Status status;
  // The newest first: it is what most requests want.
  for (auto it = choice.serve.rbegin(); it != choice.serve.rend(); ++it) {
    status.Update(LoadVersion(entry, folder, *it, *options, initial));
    if (initial) --initial_pending_;
    Notify(folder.name);
  }
  Retire(entry, choice.serve);
  status.Update(EnterMissing(entry, folder, choice));
  Notify(folder.name);
  return status;
}

absl::Status ModelRepository::EnterMissing(ModelEntry* entry, const ModelFolder& folder,
                                           const VersionChoice& choice) {
  for (const int64_t version : choice.missing) {
    entry->SetState(version, ModelState::kUnavailable,
                    "version_policy names this version, but there is no such folder");
  }
  if (!choice.serve.empty() || !choice.missing.empty()) {
    entry->Remove(kNoVersion);
    return absl::OkStatus();
  }
  const absl::Status status =
      absl::NotFoundError(absl::StrCat("'", folder.path, "' has no version folder such as '1'"));
  LogError(status.message());
  entry->SetState(kNoVersion, ModelState::kUnavailable, ReasonOf(status));
  return status;
}

absl::Status ModelRepository::LoadVersion(ModelEntry* entry, const ModelFolder& folder,
                                          int64_t version,
                                          const std::shared_ptr<const ModelOptions>& options,
                                          bool initial) {
  const std::string label = VersionLabel(entry->name(), version);
  const std::string source = SourceOf(folder, version);
  ModelEntry::Version before;
  entry->Find(version, &before);
  ModelHandle model;
  {
    MutexLock lock(&mutex_);
    Loaded& loaded = loaded_[entry->name()];
    if (before.model != nullptr && loaded.sources[version] == source) return absl::OkStatus();
    if (loaded.standby != nullptr && loaded.standby_version == version &&
        loaded.standby_source == source) {
      model = std::move(loaded.standby);
    }
  }
  if (model != nullptr) {
    LogInfo(absl::StrCat(label, " is ready again: it was still in memory"));
  } else {
    if (before.model == nullptr) entry->SetState(version, ModelState::kLoading);
    LogInfo(absl::StrCat("loading ", label));
    const absl::Time begin = context_.clock->Now();
    absl::StatusOr<ModelHandle> built;
    const auto build = [&] { built = Build(*entry, folder, version, *options, initial); };
    initial ? build() : RunInBackground(engine_.threads_per_slot, build);
    if (!built.ok()) {
      LogError(absl::StrCat(label, " could not be loaded",
                            before.model == nullptr ? "" : " again and serves as it was", ": ",
                            built.status().message()));
      if (before.model == nullptr) {
        entry->SetState(version, ModelState::kUnavailable, ReasonOf(built.status()));
      }
      return built.status();
    }
    LogInfo(absl::StrCat(label, " is ready after ",
                         absl::ToInt64Milliseconds(context_.clock->Now() - begin), " ms, ",
                         (*built)->batching_reason()));
    model = TrackUnload(table_, entry, context_, *std::move(built));
    // Later, so that no model waits for the disk.
    tasks_->SubmitAnyway(absl::StrCat("save ", entry->name()),
                         [weak = std::weak_ptr<ServedModel>(model)](bool run) {
                           const auto alive = weak.lock();
                           if (run && alive != nullptr) alive->SaveCache();
                         });
  }
  {
    MutexLock lock(&mutex_);
    loaded_[entry->name()].sources[version] = source;
  }
  entry->Set(version, {ModelState::kReady, "", std::move(model)});
  return absl::OkStatus();
}

absl::StatusOr<ModelHandle> ModelRepository::Build(const ModelEntry& entry,
                                                   const ModelFolder& folder, int64_t version,
                                                   const ModelOptions& options, bool initial) {
  ASSIGN_OR_RETURN(
      const VersionGuard guard,
      VersionGuard::Admit(folder.path, version, options.model_filename, options_.digests_path));
  const std::string path = absl::StrCat(folder.path, "/", version, "/", options.model_filename);
  ASSIGN_OR_RETURN(const std::unique_ptr<MemoryBudget::Claim> claim,
                   ClaimMemory(guard.file_bytes()));
  const absl::Time begin = context_.clock->Now();
  try {
    const EngineConfig engine = EngineConfigOf(engine_, options);
    ASSIGN_OR_RETURN(std::unique_ptr<Model> model, compile_(path, engine));
    if (!options_.digests_path.empty()) RETURN_IF_ERROR(guard.CheckUnchanged());
    ServingContext context = context_;
    context.in_background = !initial;
    ASSIGN_OR_RETURN(const std::shared_ptr<ServedModel> served,
                     ServedModel::Create(entry.name(), version, std::move(model), options, context,
                                         context_.clock->Now() - begin));
    if (const ModelHandle serving = entry.Newest()) served->PrepareLike(*serving);
    if (context_.memory != nullptr) {
      const MemoryUse use = served->model().memory_use();
      // One slot has its arena from the warm-up, if that ran on one.
      RETURN_IF_ERROR(context_.memory->CheckLoaded(use.weight_bytes + use.arena_bytes,
                                                   use.arena_bytes,
                                                   context_.slots->count() - (initial ? 1 : 0)));
    }
    return served;
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("loading threw: ", error.what()));
  }
}

absl::StatusOr<std::unique_ptr<MemoryBudget::Claim>> ModelRepository::ClaimMemory(
    int64_t file_bytes) {
  if (context_.memory == nullptr) return nullptr;
  const int64_t need_bytes = MemoryBudget::Estimate(file_bytes);
  auto claim = context_.memory->TakeClaim(need_bytes);
  if (claim.ok()) return claim;
  // What is kept only to go back quickly goes first.
  std::vector<ModelHandle> standbys;
  {
    MutexLock lock(&mutex_);
    for (auto& [name, loaded] : loaded_) {
      if (loaded.standby != nullptr) standbys.push_back(std::move(loaded.standby));
    }
  }
  if (standbys.empty()) return claim;
  LogInfo("superseded versions are dropped: their memory is needed");
  standbys.clear();
  return context_.memory->TakeClaim(need_bytes);
}

void ModelRepository::Retire(ModelEntry* entry, const std::vector<int64_t>& wanted) {
  const std::map<int64_t, ModelEntry::Version> versions = entry->Versions();
  const auto is_wanted = [&](int64_t version) {
    return std::find(wanted.begin(), wanted.end(), version) != wanted.end();
  };
  const bool replaced =
      wanted.empty() ||
      std::any_of(versions.begin(), versions.end(), [&](const auto& entry_version) {
        return entry_version.second.model && is_wanted(entry_version.first);
      });
  for (const auto& [version, value] : versions) {
    if (is_wanted(version) || version == kNoVersion) continue;
    if (value.model == nullptr) {
      entry->Remove(version);
      continue;
    }
    if (!replaced) continue;
    LogInfo(
        absl::StrCat(VersionLabel(entry->name(), version), " is superseded and kept in memory"));
    ModelHandle dropped;
    {
      MutexLock lock(&mutex_);
      Loaded& loaded = loaded_[entry->name()];
      dropped = std::exchange(loaded.standby, value.model);
      loaded.standby_version = version;
      loaded.standby_source = loaded.sources[version];
      loaded.sources.erase(version);
    }
    entry->Remove(version);
  }
}

void ModelRepository::UnloadAll(ModelEntry* entry) {
  ModelHandle standby;
  {
    MutexLock lock(&mutex_);
    Loaded& loaded = loaded_[entry->name()];
    standby = std::move(loaded.standby);
    loaded_.erase(entry->name());
  }
  for (const auto& [version, value] : entry->Versions()) {
    if (value.model != nullptr) {
      LogInfo(absl::StrCat("unloading ", VersionLabel(entry->name(), version)));
      entry->Set(version, {ModelState::kUnloading, "", nullptr, /*wanted=*/false});
    } else {
      entry->Set(version, {ModelState::kUnavailable, "unloaded", nullptr, /*wanted=*/false});
    }
  }
}

void ModelRepository::Load(const std::string& name, ModelOverrides overrides, Done done) {
  absl::Status status = CheckModelName(name);
  if (status.ok() && options_.control != ModelControl::kExplicit) {
    status = absl::UnavailableError(
        absl::StrCat("models are loaded on request only with --model-control-mode explicit; it is ",
                     ControlName(options_.control)));
  }
  if (status.ok()) {
    status = tasks_->Submit(name, [this, name, overrides = std::move(overrides), done](bool run) {
      done(run ? LoadNow(name, overrides) : absl::UnavailableError("the server is shutting down"));
    });
  }
  if (!status.ok()) done(status);
}

absl::StatusOr<ModelFolder> ModelRepository::FolderOf(const std::string& name) const {
  absl::Status status;
  std::vector<std::string> warnings;
  for (const std::string& path : options_.paths) {
    absl::StatusOr<ModelFolder> folder = ScanModelFolder(absl::StrCat(path, "/", name), &warnings);
    for (const std::string& warning : warnings) LogWarning(warning);
    if (folder.ok() || !absl::IsNotFound(folder.status())) return folder;
    status = folder.status();
  }
  return absl::NotFoundError(absl::StrCat(VersionLabel(name, kNoVersion), ": ", status.message()));
}

absl::Status ModelRepository::LoadNow(const std::string& name, const ModelOverrides& overrides) {
  std::unique_ptr<StagedFolder> staged;
  ModelFolder folder;
  if (overrides.files.empty()) {
    ASSIGN_OR_RETURN(folder, FolderOf(name));
  } else {
    if (!overrides.config_json) {
      return absl::InvalidArgumentError("parameter 'file:...': expected 'config' beside it");
    }
    ASSIGN_OR_RETURN(staged, StagedFolder::Make(name, overrides.files));
    std::vector<std::string> warnings;
    ASSIGN_OR_RETURN(folder, ScanModelFolder(staged->path(), &warnings));
  }
  if (overrides.config_json) {
    ASSIGN_OR_RETURN(folder.config_text, ConfigTextFromJson(*overrides.config_json));
    folder.config_status = absl::OkStatus();
  }
  return Apply(folder, /*initial=*/false);
}

void ModelRepository::Unload(const std::string& name, Done done) {
  absl::Status status;
  if (options_.control != ModelControl::kExplicit) {
    status = absl::UnavailableError(absl::StrCat(
        "models are unloaded on request only with --model-control-mode explicit; it is ",
        ControlName(options_.control)));
  } else if (!Knows(name)) {
    status = absl::NotFoundError(
        absl::StrCat(VersionLabel(name.substr(0, 300), kNoVersion), " is not loaded"));
  } else {
    status = tasks_->Submit(name, [this, name, done](bool run) {
      if (run) {
        UnloadAll(table_->Add(name));
        Notify(name);
      }
      done(run ? absl::OkStatus() : absl::UnavailableError("the server is shutting down"));
    });
  }
  if (!status.ok()) done(status);
}

void ModelRepository::PollLoop() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      const absl::Time until = absl::Now() + options_.poll_interval;
      while (!stopping_ && absl::Now() < until) wake_.WaitFor(&mutex_, until - absl::Now());
      if (stopping_) return;
    }
    const absl::Time began = absl::Now();
    absl::StatusOr<std::vector<ModelFolder>> models = ScanAll();
    // A volume that is away for a moment takes no model down.
    if (!models.ok()) {
      LogWarning(absl::StrCat("the models stay as they are: ", models.status().message()));
      continue;
    }
    ChangeDetector::Changes changes = detector_.Update(*std::move(models), began);
    for (ModelFolder& folder : changes.changed) {
      const std::string name = folder.name;
      tasks_->SubmitAnyway(name, [this, folder = std::move(folder)](bool run) {
        if (run) Apply(folder, /*initial=*/false).IgnoreError();
      });
    }
    for (const std::string& name : changes.gone) {
      tasks_->SubmitAnyway(name, [this, name](bool run) {
        if (!run) return;
        UnloadAll(table_->Add(name));
        Notify(name);
      });
    }
  }
}

void ModelRepository::Notify(const std::string& model_name) const {
  if (listener_) listener_(model_name);
}

}  // namespace inferd
