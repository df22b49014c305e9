#include "engine/plan/model_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace inferd {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

EngineConfig Config() {
  EngineConfig config;
  config.cache_dir = ::testing::TempDir() + "/inferd_model_cache_test/cache";
  fs::remove_all(fs::path(config.cache_dir).parent_path());
  return config;
}

SectionFile::Section Section(std::string name, absl::string_view bytes) {
  return {std::move(name), {bytes.data(), bytes.size()}};
}

std::vector<fs::path> Files(const EngineConfig& config) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(config.cache_dir)) files.push_back(entry.path());
  return files;
}

TEST(ModelCache, KeepsSectionsFromOneStartToTheNext) {
  const EngineConfig config = Config();
  ModelCache first(config, "model");
  EXPECT_EQ(first.file(), nullptr);
  EXPECT_THAT(first.report(), HasSubstr("found no"));
  ASSERT_TRUE(first.Save({Section("a", "bytes")}).ok());
  const ModelCache second(config, "model");
  ASSERT_NE(second.file(), nullptr);
  EXPECT_NE(second.file()->Find("a"), nullptr);
  EXPECT_THAT(second.report(), HasSubstr("uses 1 sections"));
  EXPECT_EQ(fs::status(config.cache_dir).permissions(), fs::perms::owner_all);
}

TEST(ModelCache, IsOfOneModelAndConfig) {
  EngineConfig config = Config();
  ModelCache first(config, "model");
  ASSERT_TRUE(first.Save({Section("a", "bytes")}).ok());
  EXPECT_EQ(ModelCache(config, "another").file(), nullptr);
  config.threads_per_slot = 2;
  EXPECT_EQ(ModelCache(config, "model").file(), nullptr);
}

TEST(ModelCache, AddsToWhatIsThere) {
  const EngineConfig config = Config();
  ASSERT_TRUE(ModelCache(config, "model").Save({Section("a", "bytes")}).ok());
  ASSERT_TRUE(ModelCache(config, "model").Save({Section("b", "bytes")}).ok());
  const ModelCache third(config, "model");
  EXPECT_NE(third.file()->Find("a"), nullptr);
  EXPECT_NE(third.file()->Find("b"), nullptr);
}

TEST(ModelCache, MakesAnewWhatCannotBeRead) {
  const EngineConfig config = Config();
  ASSERT_TRUE(ModelCache(config, "model").Save({Section("a", "bytes")}).ok());
  ASSERT_EQ(Files(config).size(), 1u);
  std::ofstream(Files(config)[0], std::ios::binary | std::ios::trunc) << std::string(500, 'x');
  ModelCache second(config, "model");
  EXPECT_EQ(second.file(), nullptr);
  EXPECT_THAT(second.report(), HasSubstr("damaged"));
  ASSERT_TRUE(second.Save({Section("a", "bytes")}).ok());
  EXPECT_NE(ModelCache(config, "model").file(), nullptr);
}

TEST(ModelCache, DropsTheFilesNotUsedForLongest) {
  EngineConfig config = Config();
  config.max_cache_bytes = 2000;
  const std::string bytes(600, 'x');
  ASSERT_TRUE(ModelCache(config, "old").Save({Section("a", bytes)}).ok());
  const auto hour_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(Files(config)[0], hour_ago);
  ASSERT_TRUE(ModelCache(config, "middle").Save({Section("a", bytes)}).ok());
  ASSERT_TRUE(ModelCache(config, "new").Save({Section("a", bytes)}).ok());
  EXPECT_EQ(ModelCache(config, "old").file(), nullptr);
  EXPECT_NE(ModelCache(config, "new").file(), nullptr);
  EXPECT_EQ(ModelCache(config, "huge").Save({Section("a", std::string(3000, 'x'))}).code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace inferd
