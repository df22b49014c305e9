#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/mutex.h"
#include "server/metrics/metrics_registry.h"
#include "server/repository/model_repository.h"
#include "server/scheduler/clock.h"
#include "tests/server/repository/temporary_repository.h"
#include "tests/support/fake_model.h"

namespace inferd {

// A repository in a folder of its own whose models are FakeModels. Used by one thread at a time.
class FakeRepository {
 public:
  using Factory = std::function<absl::StatusOr<std::unique_ptr<Model>>()>;

  // A model version made by `factory` when it is loaded; its config is `config_text` if not empty.
  void Add(const std::string& name, int version, Factory factory, absl::string_view config = "") {
    const std::string file = absl::StrCat(name, "/", version, "/model.onnx");
    folder_.Write(file, "fake");
    if (!config.empty()) folder_.Write(absl::StrCat(name, "/config.pbtxt"), std::string(config));
    factories_[absl::StrCat(folder_.root(), "/", file)] = std::move(factory);
  }
  // A further file, by its path in the repository's folder.
  void AddFile(const std::string& path, const std::string& text) { folder_.Write(path, text); }
  // A model that answers with its inputs: X float32[?,2] -> Y float32[?,2].
  void AddIdentity(const std::string& name, int version = 1) {
    Add(name, version, [] { return FakeModel::Identity(); });
  }

  // Loads what was added and waits until every model has a final state.
  ModelRepository& Start() {
    Create().SetStateListener([this](const std::string&) {
      MutexLock lock(&mutex_);
      changed_.SignalAll();
    });
    EXPECT_TRUE(repository_->Start().ok());
    MutexLock lock(&mutex_);
    while (!repository_->AllFinal()) changed_.Wait(&mutex_);
    return *repository_;
  }
  // A repository that has not begun to load.
  ModelRepository& Create() {
    RepositoryOptions options;
    options.paths = {folder_.root()};
    repository_ = std::make_unique<ModelRepository>(
        options, EngineConfig(), ServingContext{&slots_, &clock_, &metrics_},
        [this](const std::string& path, const EngineConfig&) { return factories_.at(path)(); });
    return *repository_;
  }
  ModelRepository& repository() { return *repository_; }

 private:
  TemporaryRepository folder_;
  std::map<std::string, Factory> factories_;
  SystemClock clock_;
  MetricsRegistry metrics_;
  // After what tasks use: it joins them. Two, since a test may hold one.
  CoreSlots slots_{2, 1};
  Mutex mutex_;
  CondVar changed_;
  std::unique_ptr<ModelRepository> repository_;
};

}  // namespace inferd
