#include "server/repository/model_repository.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"
#include "server/repository/version_policy.h"
#include "server/scheduler/clock.h"

namespace inferd {
namespace {

// Reasons travel in gRPC trailers, which are short.
constexpr size_t kMaxReasonBytes = 2000;
// Stands for a model without any usable version.
constexpr int64_t kNoVersion = 0;

std::string ReasonOf(const absl::Status& status) {
  return std::string(status.message().substr(0, kMaxReasonBytes));
}

std::string Label(absl::string_view name, int64_t version) {
  return version == kNoVersion ? absl::StrCat("model '", name, "'")
                               : absl::StrCat("model '", name, "' version ", version);
}

absl::StatusOr<int64_t> ParseRequestedVersion(absl::string_view text) {
  int64_t version = 0;
  const bool is_digits = std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (is_digits && absl::SimpleAtoi(text, &version)) return version;
  return absl::InvalidArgumentError(absl::StrCat(
      "model version: expected a non-negative integer or none, got '", text.substr(0, 100), "'"));
}

absl::Status NotReady(absl::string_view name, int64_t number, const ModelEntry::Version& version) {
  const std::string label = Label(name, number);
  switch (version.state) {
    case ModelState::kUnknown:
    case ModelState::kLoading:
      return absl::UnavailableError(absl::StrCat(label, " is loading"));
    case ModelState::kUnloading:
      return absl::UnavailableError(absl::StrCat(label, " is being unloaded"));
    default:
      return absl::NotFoundError(absl::StrCat(label, " is not available: ", version.reason));
  }
}

// Why no version is READY: the newest one's reason, unless another is still loading.
absl::Status NoneReady(const ModelEntry& entry) {
  absl::Status status = absl::NotFoundError(
      absl::StrCat(Label(entry.name(), kNoVersion), " has no version that could be loaded"));
  for (const auto& [number, version] : entry.Versions()) {
    const absl::Status one = NotReady(entry.name(), number, version);
    if (absl::IsUnavailable(one)) return one;
    status = one;
  }
  return status;
}

absl::Status CheckModelFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("'", path, "': expected a model file, found ",
                   std::filesystem::exists(path, error) ? "something else" : "nothing"));
}

}  // namespace

ModelRepository::ModelRepository(RepositoryOptions options, EngineConfig engine,
                                 ServingContext context, CompileFunction compile)
    : options_(std::move(options)),
      engine_(std::move(engine)),
      context_(context),
      compile_(std::move(compile)) {}

ModelRepository::~ModelRepository() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& loader : loaders_) loader.join();
  tuner_.reset();
}

absl::Status ModelRepository::Start() {
  std::vector<LoadTask> tasks;
  for (const std::string& path : options_.paths) {
    ASSIGN_OR_RETURN(const RepositoryScan scan, ScanRepository(path));
    for (const std::string& warning : scan.warnings) LogWarning(warning);
    for (const ModelFolder& folder : scan.models) {
      if (Knows(folder.name)) {
        LogWarning(absl::StrCat("folder '", folder.path, "' is ignored: model '", folder.name,
                                "' was found before"));
        continue;
      }
      AddModel(folder, &tasks);
    }
  }
  initial_pending_ = static_cast<int>(tasks.size());
  started_ = true;
  if (tasks.empty()) LogWarning("no model to load was found");

  const int wanted =
      options_.load_threads > 0 ? options_.load_threads : std::min(4, context_.slots->count());
  const int threads = std::min<int>(wanted, static_cast<int>(tasks.size()));
  {
    MutexLock lock(&mutex_);
    tasks_.assign(std::make_move_iterator(tasks.begin()), std::make_move_iterator(tasks.end()));
  }
  for (int i = 0; i < threads; ++i) loaders_.emplace_back([this] { LoadLoop(); });
  if (!engine_.deterministic && engine_.tuning_seconds > 0) {
    tuner_ = std::make_unique<BackgroundTuner>(context_.slots, [this] {
      // Loading comes first.
      return AllFinal() && !draining_ ? ReadyModels() : std::vector<ModelHandle>();
    });
  }
  Notify("");
  return absl::OkStatus();
}

void ModelRepository::AddModel(const ModelFolder& folder, std::vector<LoadTask>* tasks) {
  ModelEntry* entry = table_.Add(folder.name);
  absl::StatusOr<ModelOptions> parsed = ParseModelOptions(folder.config_text, folder.name);
  if (!folder.config_status.ok()) parsed = folder.config_status;
  if (!parsed.ok()) {
    const int64_t version = folder.versions.empty() ? kNoVersion : folder.versions.back();
    LogError(absl::StrCat(Label(folder.name, kNoVersion), ": ", parsed.status().message()));
    entry->SetState(version, ModelState::kUnavailable, ReasonOf(parsed.status()));
    return;
  }
  ModelOptions& options = *parsed;
  if (options.config.dynamic_batching().default_queue_policy().max_queue_size() == 0) {
    options.max_queue_requests = options_.max_queue_requests;
  }
  for (const std::string& note : options.notes) {
    LogWarning(absl::StrCat(Label(folder.name, kNoVersion), ": ", note));
  }

  const auto shared = std::make_shared<const ModelOptions>(std::move(options));
  const VersionChoice choice = ChooseVersions(shared->version_policy, folder.versions);
  for (const int64_t version : choice.missing) {
    entry->SetState(version, ModelState::kUnavailable,
                    "version_policy names this version, but there is no such folder");
  }
  for (const int64_t version : choice.serve) {
    entry->SetState(version, ModelState::kLoading);
    tasks->push_back({entry, version,
                      absl::StrCat(folder.path, "/", version, "/", shared->model_filename),
                      shared});
  }
  if (choice.serve.empty() && choice.missing.empty()) {
    entry->SetState(kNoVersion, ModelState::kUnavailable,
                    absl::StrCat("'", folder.path, "' has no version folder such as '1'"));
    LogError(absl::StrCat("'", folder.path, "' has no version folder such as '1'"));
  }
}

void ModelRepository::LoadLoop() {
  UseOpenMpThreads(engine_.threads_per_slot);
  std::vector<std::weak_ptr<ServedModel>> loaded;
  while (true) {
    LoadTask task;
    {
      MutexLock lock(&mutex_);
      if (tasks_.empty() || stopping_) break;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    loaded.push_back(Load(task));
  }
  // Afterwards, so that no model waits for the disk.
  for (const auto& model : loaded) {
    if (const auto alive = model.lock(); alive != nullptr && !stopping()) alive->SaveCache();
  }
}

bool ModelRepository::stopping() const {
  MutexLock lock(&mutex_);
  return stopping_;
}

absl::StatusOr<ModelHandle> ModelRepository::Build(const LoadTask& task) {
  RETURN_IF_ERROR(CheckModelFile(task.path));
  const absl::Time begin = context_.clock->Now();
  try {
    EngineConfig engine = engine_;
    engine.precision = task.options->precision;
    if (const PrecisionChoice choice = ChoosePrecision(engine); !choice.note.empty()) {
      LogWarning(absl::StrCat(Label(task.entry->name(), task.version), ": ", choice.note));
    }
    ASSIGN_OR_RETURN(std::unique_ptr<Model> model, compile_(task.path, engine));
    return ServedModel::Create(task.entry->name(), task.version, std::move(model), *task.options,
                               context_, context_.clock->Now() - begin);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("loading threw: ", error.what()));
  }
}

ModelHandle ModelRepository::Load(const LoadTask& task) {
  const std::string label = Label(task.entry->name(), task.version);
  LogInfo(absl::StrCat("loading ", label));
  const absl::Time begin = context_.clock->Now();
  absl::StatusOr<ModelHandle> model = Build(task);
  if (model.ok()) {
    LogInfo(absl::StrCat(label, " is ready after ",
                         absl::ToInt64Milliseconds(context_.clock->Now() - begin), " ms, ",
                         (*model)->batching_reason()));
    task.entry->Set(task.version, {ModelState::kReady, "", *model});
  } else {
    LogError(absl::StrCat(label, " could not be loaded: ", model.status().message()));
    task.entry->SetState(task.version, ModelState::kUnavailable, ReasonOf(model.status()));
  }
  --initial_pending_;
  Notify(task.entry->name());
  return model.ok() ? *std::move(model) : nullptr;
}

void ModelRepository::Notify(const std::string& model_name) const {
  if (listener_) listener_(model_name);
}

absl::StatusOr<ModelHandle> ModelRepository::Get(absl::string_view name,
                                                 absl::string_view version) const {
  if (draining_) return absl::UnavailableError("the server is draining and takes no new requests");
  const ModelEntry* entry = table_.Find(name);
  if (entry == nullptr) {
    return absl::NotFoundError(absl::StrCat("model '", name.substr(0, 300), "' is not known"));
  }
  if (version.empty()) {
    ModelHandle newest = entry->Newest();
    if (newest == nullptr) return NoneReady(*entry);
    return newest;
  }
  ASSIGN_OR_RETURN(const int64_t number, ParseRequestedVersion(version));
  ModelEntry::Version found;
  if (number == kNoVersion || !entry->Find(number, &found)) {
    return absl::NotFoundError(absl::StrCat("model '", name, "' has no version ", number));
  }
  if (found.model == nullptr) return NotReady(name, number, found);
  return std::move(found.model);
}

std::vector<int64_t> ModelRepository::ReadyVersions(absl::string_view name) const {
  std::vector<int64_t> ready;
  const ModelEntry* entry = table_.Find(name);
  if (entry == nullptr) return ready;
  for (const auto& [number, version] : entry->Versions()) {
    if (version.state == ModelState::kReady) ready.push_back(number);
  }
  return ready;
}

std::vector<ModelHandle> ModelRepository::ReadyModels() const {
  std::vector<ModelHandle> models;
  table_.ForEach([&](const ModelEntry& entry) {
    for (auto& [number, version] : entry.Versions()) {
      if (version.model) models.push_back(version.model);
    }
  });
  std::sort(models.begin(), models.end(), [](const ModelHandle& a, const ModelHandle& b) {
    return std::make_pair(absl::string_view(a->name()), a->version()) <
           std::make_pair(absl::string_view(b->name()), b->version());
  });
  return models;
}

std::vector<ModelIndexRow> ModelRepository::Index() const {
  std::map<std::string, std::vector<ModelIndexRow>> rows_by_name;
  table_.ForEach([&](const ModelEntry& entry) {
    std::vector<ModelIndexRow>& rows = rows_by_name[entry.name()];
    for (const auto& [number, version] : entry.Versions()) {
      rows.push_back({entry.name(), number == kNoVersion ? "" : absl::StrCat(number), version.state,
                      version.reason});
    }
  });
  std::vector<ModelIndexRow> index;
  for (auto& [name, rows] : rows_by_name) {
    index.insert(index.end(), rows.begin(), rows.end());
  }
  return index;
}

bool ModelRepository::AnyReady() const {
  bool any_known = false;
  bool any_ready = false;
  table_.ForEach([&](const ModelEntry& entry) {
    any_known = true;
    any_ready = any_ready || entry.Newest() != nullptr;
  });
  return any_ready || !any_known;
}

bool ModelRepository::AllReady() const {
  bool all_ready = true;
  table_.ForEach([&](const ModelEntry& entry) {
    for (const auto& [number, version] : entry.Versions()) {
      all_ready = all_ready && version.state == ModelState::kReady;
    }
  });
  return all_ready;
}

void ModelRepository::RefreshMetrics() const {
  for (const ModelHandle& model : ReadyModels()) model->RefreshMetrics();
}

}  // namespace inferd
