#include "server/commands/daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/server/repository/temporary_repository.h"
#include "tests/support/fake_model.h"

namespace inferd {
namespace {

using ::testing::MatchesRegex;

absl::StatusOr<std::unique_ptr<Model>> CompileFake(const std::string&, const EngineConfig&) {
  return FakeModel::Identity();
}

ServerOptions Options(const std::string& repository) {
  ServerOptions options;
  options.repository.paths = {repository};
  options.engine.core_slots = 1;
  options.grpc_port = options.http_port = options.metrics_port = 0;
  return options;
}

TEST(Daemon, ListensBeforeItLoadsAndSaysWhenItIsReady) {
  TemporaryRepository repository;
  repository.Write("m/1/model.onnx", "fake");
  std::atomic<int> ready_calls{0};
  std::promise<void> ready;
  auto daemon = Daemon::Start(Options(repository.root()), CompileFake, [&] {
    if (++ready_calls == 1) ready.set_value();
  });
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_THAT((*daemon)->Addresses(),
              MatchesRegex("grpc=127.0.0.1:[0-9]+ http=127.0.0.1:[0-9]+ metrics=127.0.0.1:[0-9]+"));
  EXPECT_EQ(ready_calls, 0);
  ASSERT_TRUE((*daemon)->LoadModels().ok());
  ready.get_future().wait();
  (*daemon)->BeginDrain();
  EXPECT_TRUE((*daemon)->FinishDrain().ok());
  EXPECT_EQ(ready_calls, 1);
}

TEST(Daemon, WithoutModelsItIsReadyAtOnce) {
  TemporaryRepository repository;
  std::promise<void> ready;
  auto daemon = Daemon::Start(Options(repository.root()), CompileFake, [&] { ready.set_value(); });
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  ASSERT_TRUE((*daemon)->LoadModels().ok());
  ready.get_future().wait();
}

TEST(Daemon, AMissingRepositoryIsAnError) {
  auto daemon = Daemon::Start(Options("/no/such/folder"), CompileFake, [] {});
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_TRUE(absl::IsNotFound((*daemon)->LoadModels()));
}

TEST(Daemon, MayEndWhileModelsLoad) {
  TemporaryRepository repository;
  repository.Write("m/1/model.onnx", "fake");
  std::promise<void> loading, ended;
  std::shared_future<void> end = ended.get_future().share();
  const auto compile = [&](const std::string& path,
                           const EngineConfig& config) -> absl::StatusOr<std::unique_ptr<Model>> {
    loading.set_value();
    end.wait();
    return CompileFake(path, config);
  };
  auto daemon = Daemon::Start(Options(repository.root()), compile, [] { ADD_FAILURE(); });
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  ASSERT_TRUE((*daemon)->LoadModels().ok());
  loading.get_future().wait();
  (*daemon)->BeginDrain();
  EXPECT_TRUE((*daemon)->FinishDrain().ok());
  ended.set_value();
  daemon->reset();
}

}  // namespace
}  // namespace inferd
