#include "server/repository/model_repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>
#include <set>
#include <thread>

#include "server/metrics/metrics_registry.h"
#include "server/scheduler/clock.h"
#include "tests/server/repository/temporary_repository.h"
#include "tests/support/fake_model.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ModelRepositoryTest : public ::testing::Test {
 protected:
  // A file's text says how its model loads: "bad" fails, "slow" waits for Release().
  absl::StatusOr<std::unique_ptr<Model>> Compile(const std::string& path) {
    std::ifstream file(path);
    std::string text;
    file >> text;
    if (text == "throw") throw std::bad_alloc();
    if (text == "bad") return absl::InvalidArgumentError("'" + path + "' is no ONNX model");
    MutexLock lock(&mutex_);
    ++loads_;
    niceness_.push_back(getpriority(PRIO_PROCESS, 0));  // of this thread
    while (text == "slow" && !released_) changed_.Wait(&mutex_);
    return std::unique_ptr<Model>(FakeModel::Identity());
  }
  void Release() {
    MutexLock lock(&mutex_);
    released_ = true;
    changed_.SignalAll();
  }

  ModelRepository& repository() {
    if (repository_ == nullptr) {
      RepositoryOptions options = options_;
      options.paths = {files_.root()};
      // Nothing else holds models.
      EngineConfig engine;
      engine.deterministic = true;
      repository_ = std::make_unique<ModelRepository>(
          options, engine, ServingContext{&slots_, &clock_, &registry_},
          [this](const std::string& path, const EngineConfig&) { return Compile(path); });
      repository_->SetStateListener([this](const std::string& name) {
        MutexLock lock(&mutex_);
        notified_.insert(name);
        changed_.SignalAll();
      });
    }
    return *repository_;
  }
  void StartAndAwait(std::set<std::string> names) {
    ASSERT_TRUE(repository().Start().ok());
    Await(std::move(names));
  }
  void Await(std::set<std::string> names) {
    names.insert("");
    MutexLock lock(&mutex_);
    while (!std::includes(notified_.begin(), notified_.end(), names.begin(), names.end())) {
      changed_.Wait(&mutex_);
    }
  }
  std::vector<std::string> IndexText() {
    std::vector<std::string> text;
    for (const ModelIndexRow& row : repository().Index()) {
      text.push_back(absl::StrCat(row.name, " ", row.version, " ", ModelStateName(row.state)));
    }
    return text;
  }

  absl::Status Load(const std::string& name, ModelOverrides overrides = {}) {
    return Await([&](ModelRepository::Done done) {
      repository().Load(name, std::move(overrides), std::move(done));
    });
  }
  absl::Status Unload(const std::string& name) {
    return Await([&](ModelRepository::Done done) { repository().Unload(name, std::move(done)); });
  }
  absl::Status Await(const std::function<void(ModelRepository::Done)>& begin) {
    std::optional<absl::Status> result;
    begin([&](const absl::Status& status) {
      MutexLock lock(&mutex_);
      // A copy of its own: how Abseil counts shared ones cannot be seen by the thread sanitizer.
      result = absl::Status(status.code(), status.message());
      changed_.SignalAll();
    });
    MutexLock lock(&mutex_);
    while (!result) changed_.Wait(&mutex_);
    return *result;
  }
  int loads() {
    MutexLock lock(&mutex_);
    return loads_;
  }

  RepositoryOptions options_;
  int loads_ = 0;
  std::vector<int> niceness_;
  TemporaryRepository files_;
  MetricsRegistry registry_;
  SystemClock clock_;
  CoreSlots slots_{2, 1};
  Mutex mutex_;
  CondVar changed_;
  bool released_ = false;
  std::set<std::string> notified_;
  std::unique_ptr<ModelRepository> repository_;
};

TEST_F(ModelRepositoryTest, LoadsTheNewestVersion) {
  files_.Write("m/1/model.onnx", "good");
  files_.Write("m/2/model.onnx", "good");
  StartAndAwait({"m"});
  EXPECT_THAT(IndexText(), ElementsAre("m 2 READY"));
  EXPECT_EQ(repository().Get("m", "").value()->version(), 2);
  EXPECT_TRUE(repository().Ready(true));
}

TEST_F(ModelRepositoryTest, ServesSeveralVersionsWhenToldTo) {
  files_.Write("m/config.pbtxt", "version_policy { all { } } default_model_filename: \"net\"");
  files_.Write("m/1/net", "good");
  files_.Write("m/2/net", "good");
  files_.Write("n/1/model.onnx", "good");
  StartAndAwait({"m", "n"});
  repository_ = nullptr;
  notified_.clear();
  StartAndAwait({"m", "n"});
  while (!repository().AllFinal()) std::this_thread::yield();
  EXPECT_EQ(repository().Get("m", "1").value()->version(), 1);
  EXPECT_THAT(repository().ReadyVersions("m"), ElementsAre(1, 2));
  EXPECT_EQ(repository().ReadyModels().size(), 3u);
}

TEST_F(ModelRepositoryTest, OneBadModelDoesNotStopTheOthers) {
  files_.Write("bad/1/model.onnx", "bad");
  files_.Write("throw/1/model.onnx", "throw");
  files_.Write("config/config.pbtxt", "nonsense");
  files_.Write("config/1/model.onnx", "good");
  files_.MakeFolder("empty");
  files_.MakeFolder("nofile/1");
  files_.Write("good/1/model.onnx", "good");
  StartAndAwait({"bad", "throw", "nofile", "good"});
  EXPECT_THAT(IndexText(),
              ElementsAre("bad 1 UNAVAILABLE", "config 1 UNAVAILABLE", "empty  UNAVAILABLE",
                          "good 1 READY", "nofile 1 UNAVAILABLE", "throw 1 UNAVAILABLE"));
  EXPECT_TRUE(repository().Ready(false));
  EXPECT_FALSE(repository().Ready(true));
  EXPECT_TRUE(absl::IsNotFound(repository().Get("bad", "").status()));
  EXPECT_THAT(std::string(repository().Get("bad", "1").status().message()),
              HasSubstr("is no ONNX model"));
  EXPECT_THAT(std::string(repository().Get("config", "").status().message()), HasSubstr("line 1"));
}

TEST_F(ModelRepositoryTest, AnswersUnavailableWhileAModelLoads) {
  files_.Write("m/1/model.onnx", "slow");
  ASSERT_TRUE(repository().Start().ok());
  EXPECT_TRUE(absl::IsUnavailable(repository().Get("m", "").status()));
  EXPECT_TRUE(absl::IsUnavailable(repository().Get("m", "1").status()));
  EXPECT_THAT(IndexText(), ElementsAre("m 1 LOADING"));
  EXPECT_FALSE(repository().Ready(false));
  Release();
  Await({"m"});
  EXPECT_TRUE(repository().Ready(false));
  EXPECT_TRUE(repository().Get("m", "1").ok());
}

TEST_F(ModelRepositoryTest, SaysWhatItDoesNotKnow) {
  files_.Write("m/1/model.onnx", "good");
  files_.Write("p/config.pbtxt", "version_policy { specific { versions: 7 } }");
  files_.Write("p/1/model.onnx", "good");
  StartAndAwait({"m"});
  EXPECT_TRUE(absl::IsNotFound(repository().Get("other", "").status()));
  EXPECT_TRUE(absl::IsNotFound(repository().Get("m", "2").status()));
  EXPECT_TRUE(absl::IsNotFound(repository().Get("m", "0").status()));
  EXPECT_TRUE(absl::IsNotFound(repository().Get("p", "").status()));
  for (const char* version : {"one", "-1", "1.0", "99999999999999999999"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(repository().Get("m", version).status())) << version;
  }
}

TEST_F(ModelRepositoryTest, IsReadyWithoutAnyModel) {
  StartAndAwait({});
  EXPECT_TRUE(repository().Ready(false));
  EXPECT_TRUE(repository().Index().empty());
}

TEST_F(ModelRepositoryTest, RefusesAFolderThatDoesNotExist) {
  RepositoryOptions options;
  options.paths = {files_.root() + "/none"};
  ModelRepository repository(options, EngineConfig(), {&slots_, &clock_, &registry_}, nullptr);
  EXPECT_TRUE(absl::IsNotFound(repository.Start()));
  EXPECT_FALSE(repository.AllFinal());
}

TEST_F(ModelRepositoryTest, RefusesNewRequestsWhileDraining) {
  files_.Write("m/1/model.onnx", "good");
  StartAndAwait({"m"});
  const ModelHandle handle = repository().Get("m", "").value();
  repository().Drain();
  EXPECT_TRUE(absl::IsUnavailable(repository().Get("m", "").status()));
  EXPECT_EQ(handle->name(), "m");
}

class ExplicitControlTest : public ModelRepositoryTest {
 protected:
  ExplicitControlTest() { options_.control = ModelControl::kExplicit; }
  void SetUp() override {
    files_.Write("m/1/model.onnx", "good");
    files_.Write("n/1/model.onnx", "good");
  }
};

TEST_F(ExplicitControlTest, LoadsNothingUntilAsked) {
  StartAndAwait({});
  EXPECT_THAT(IndexText(), ElementsAre("m 1 UNAVAILABLE", "n 1 UNAVAILABLE"));
  EXPECT_TRUE(repository().Ready(true));
  EXPECT_FALSE(repository().Knows("m"));
  ASSERT_TRUE(Load("m").ok());
  EXPECT_THAT(IndexText(), ElementsAre("m 1 READY", "n 1 UNAVAILABLE"));
  EXPECT_TRUE(repository().Knows("m"));
  EXPECT_TRUE(repository().Get("m", "").ok());
}

TEST_F(ExplicitControlTest, LoadsAtTheStartWhatTheOptionsName) {
  options_.startup_models = {"n"};
  StartAndAwait({"n"});
  EXPECT_THAT(IndexText(), ElementsAre("m 1 UNAVAILABLE", "n 1 READY"));
  repository_ = nullptr;
  options_.startup_models = {"x"};
  EXPECT_TRUE(absl::IsNotFound(repository().Start()));
}

TEST_F(ExplicitControlTest, UnloadsOnceTheLastRequestIsDone) {
  StartAndAwait({});
  ASSERT_TRUE(Load("m").ok());
  ModelHandle handle = repository().Get("m", "").value();
  ASSERT_TRUE(Unload("m").ok());
  EXPECT_TRUE(absl::IsUnavailable(repository().Get("m", "").status()));
  EXPECT_THAT(IndexText(), ElementsAre("m 1 UNLOADING", "n 1 UNAVAILABLE"));
  EXPECT_FALSE(repository().Knows("m"));
  handle = nullptr;
  EXPECT_EQ(repository().Index()[0].reason, "unloaded");
  EXPECT_TRUE(absl::IsNotFound(repository().Get("m", "").status()));
  EXPECT_TRUE(absl::IsNotFound(Unload("m")));
  ASSERT_TRUE(Load("m").ok());
  EXPECT_TRUE(repository().Get("m", "").ok());
}

TEST_F(ExplicitControlTest, LoadsAtLowPriorityOnceTheStartIsOver) {
  options_.startup_models = {"m"};
  StartAndAwait({"m"});
  ASSERT_TRUE(Load("n").ok());
  files_.Write("m/1/model.onnx", "better");
  ASSERT_TRUE(Load("m").ok());
  MutexLock lock(&mutex_);
  const int before = getpriority(PRIO_PROCESS, 0);
  ASSERT_EQ(niceness_.size(), 3u);
  EXPECT_EQ(niceness_[0], before);
  EXPECT_EQ(niceness_[1], std::max(before, 10));
  EXPECT_EQ(niceness_[2], niceness_[1]);
}

TEST_F(ExplicitControlTest, LoadsOnlyWhatChanged) {
  StartAndAwait({});
  ASSERT_TRUE(Load("m").ok());
  const ModelHandle before = repository().Get("m", "").value();
  ASSERT_TRUE(Load("m").ok());
  EXPECT_EQ(loads(), 1);
  EXPECT_EQ(repository().Get("m", "").value(), before);
  files_.Write("m/1/model.onnx", "better");
  ASSERT_TRUE(Load("m").ok());
  EXPECT_EQ(loads(), 2);
  EXPECT_NE(repository().Get("m", "").value(), before);
}

TEST_F(ExplicitControlTest, AFailedLoadLeavesWhatServes) {
  StartAndAwait({});
  ASSERT_TRUE(Load("m").ok());
  files_.Write("m/1/model.onnx", "bad");
  EXPECT_FALSE(Load("m").ok());
  files_.Write("m/2/model.onnx", "bad");
  EXPECT_FALSE(Load("m").ok());
  EXPECT_EQ(repository().Get("m", "").value()->version(), 1);
  files_.Write("m/config.pbtxt", "nonsense");
  EXPECT_FALSE(Load("m").ok());
  EXPECT_EQ(repository().Get("m", "").value()->version(), 1);
}

TEST_F(ExplicitControlTest, ANewVersionServesOnceItIsReadyAndTheOldOneComesBackAtOnce) {
  StartAndAwait({});
  ASSERT_TRUE(Load("m").ok());
  const ModelHandle first = repository().Get("m", "").value();
  files_.Write("m/2/model.onnx", "good");
  ASSERT_TRUE(Load("m").ok());
  EXPECT_EQ(repository().Get("m", "").value()->version(), 2);
  EXPECT_TRUE(absl::IsNotFound(repository().Get("m", "1").status()));
  EXPECT_EQ(loads(), 2);
  std::filesystem::remove_all(files_.root() + "/m/2");
  ASSERT_TRUE(Load("m").ok());
  EXPECT_EQ(repository().Get("m", "").value(), first);
  EXPECT_EQ(loads(), 2);
}

TEST_F(ExplicitControlTest, TakesConfigAndFilesFromTheRequest) {
  StartAndAwait({});
  ASSERT_TRUE(Load("m", {R"({"max_batch_size": 3})", {}}).ok());
  EXPECT_EQ(repository().Get("m", "").value()->max_batch_size(), 3);
  ASSERT_TRUE(Load("fresh", {"{}", {{"7/model.onnx", "good"}}}).ok());
  EXPECT_EQ(repository().Get("fresh", "").value()->version(), 7);
  EXPECT_TRUE(absl::IsInvalidArgument(Load("fresh", {std::nullopt, {{"1/model.onnx", "good"}}})));
  EXPECT_TRUE(absl::IsInvalidArgument(Load("m", {"{\"max_batch_size\": ", {}})));
  for (const char* path :
       {"../1/model.onnx", "1/../x", "/1/x", "1/a/b", "01/x", "1/.x", "1/", ""}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Load("fresh", {"{}", {{path, "good"}}}))) << path;
  }
}

TEST_F(ExplicitControlTest, RefusesModelsThatAreNotThere) {
  StartAndAwait({});
  EXPECT_TRUE(absl::IsNotFound(Load("nobody")));
  EXPECT_TRUE(absl::IsNotFound(Unload("nobody")));
  for (const char* name : {"../m", "m/../n", ".m", "", "/etc"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Load(name))) << name;
  }
}

TEST_F(ExplicitControlTest, AliasesStandForVersions) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "Debian's protobuf has another layout of map fields without this sanitizer";
#endif
  files_.Write("m/2/model.onnx", "good");
  files_.Write("m/config.pbtxt",
               "version_policy { all { } } "
               "parameters { key: \"version_alias.stable\" value { string_value: \"1\" } }");
  StartAndAwait({});
  ASSERT_TRUE(Load("m").ok());
  EXPECT_EQ(repository().Get("m", "stable").value()->version(), 1);
  EXPECT_EQ(repository().Get("m", "").value()->version(), 2);
  EXPECT_TRUE(absl::IsInvalidArgument(repository().Get("m", "canary").status()));
}

TEST_F(ModelRepositoryTest, LoadsOnRequestOnlyUnderExplicitControl) {
  files_.Write("m/1/model.onnx", "good");
  StartAndAwait({"m"});
  EXPECT_TRUE(absl::IsUnavailable(Load("m")));
  EXPECT_TRUE(absl::IsUnavailable(Unload("m")));
}

TEST_F(ModelRepositoryTest, FollowsItsFoldersWhenPolling) {
  options_.control = ModelControl::kPoll;
  options_.poll_interval = absl::Milliseconds(20);
  files_.Write("m/1/model.onnx", "good");
  StartAndAwait({"m"});
  // Waits for what the index should be.
  const auto await = [&](const std::vector<std::string>& index) {
    while (IndexText() != index) std::this_thread::yield();
  };
  await({"m 1 READY"});
  files_.Write("m/2/model.onnx", "good");
  await({"m 2 READY"});
  files_.Write("n/1/model.onnx", "good");
  await({"m 2 READY", "n 1 READY"});
  std::filesystem::remove_all(files_.root() + "/m/2");
  await({"m 1 READY", "n 1 READY"});
  std::filesystem::remove_all(files_.root() + "/n");
  await({"m 1 READY", "n 1 UNAVAILABLE"});
  EXPECT_FALSE(repository().Knows("n"));
}

}  // namespace
}  // namespace inferd
