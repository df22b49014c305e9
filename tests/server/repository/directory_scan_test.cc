#include "server/repository/directory_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/repository/temporary_repository.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(DirectoryScan, FindsModelsVersionsAndConfigs) {
  TemporaryRepository repository;
  repository.Write("b/config.pbtxt", "max_batch_size: 4");
  repository.Write("b/10/model.onnx", "");
  repository.Write("b/9/model.onnx", "");
  repository.Write("a/1/model.onnx", "");
  repository.Write("README.md", "no model");
  const RepositoryScan scan = ScanRepository(repository.root()).value();
  ASSERT_EQ(scan.models.size(), 2u);
  EXPECT_EQ(scan.models[0].name, "a");
  EXPECT_EQ(scan.models[0].config_text, "");
  EXPECT_THAT(scan.models[1].versions, ElementsAre(9, 10));
  EXPECT_EQ(scan.models[1].config_text, "max_batch_size: 4");
  EXPECT_THAT(scan.warnings, IsEmpty());
}

TEST(DirectoryScan, WarnsOfFoldersThatAreNoVersions) {
  TemporaryRepository repository;
  for (const char* name : {"m/01", "m/0", "m/v1", "m/-1", "m/9999999999999999999", "m/2"}) {
    repository.MakeFolder(name);
  }
  const RepositoryScan scan = ScanRepository(repository.root()).value();
  EXPECT_THAT(scan.models[0].versions, ElementsAre(2));
  EXPECT_EQ(scan.warnings.size(), 5u);
  EXPECT_THAT(scan.warnings[0], HasSubstr("without leading zeros"));
}

TEST(DirectoryScan, PassesOverHiddenAndBadlyNamedFolders) {
  TemporaryRepository repository;
  repository.MakeFolder(".git/1");
  repository.MakeFolder("bad name/1");
  const RepositoryScan scan = ScanRepository(repository.root()).value();
  EXPECT_THAT(scan.models, IsEmpty());
  EXPECT_THAT(scan.warnings, ElementsAre(HasSubstr("bad name")));
}

TEST(DirectoryScan, RefusesAConfigThatIsNoSmallFile) {
  TemporaryRepository repository;
  repository.MakeFolder("folder/config.pbtxt");
  repository.Write("large/config.pbtxt", std::string(2 << 20, '#'));
  const RepositoryScan scan = ScanRepository(repository.root()).value();
  EXPECT_FALSE(scan.models[0].config_status.ok());
  EXPECT_FALSE(scan.models[1].config_status.ok());
}

TEST(DirectoryScan, RefusesARootThatIsNoFolder) {
  TemporaryRepository repository;
  repository.Write("file", "");
  EXPECT_TRUE(absl::IsNotFound(ScanRepository(repository.root() + "/none").status()));
  EXPECT_TRUE(absl::IsNotFound(ScanRepository(repository.root() + "/file").status()));
}

TEST(ParseVersion, TakesPositiveNumbersOnly) {
  EXPECT_EQ(ParseVersion("1"), 1);
  EXPECT_EQ(ParseVersion("123456789012345678"), 123456789012345678);
  for (const char* name : {"", "0", "01", "+1", "1a", "1234567890123456789"}) {
    EXPECT_EQ(ParseVersion(name), 0) << name;
  }
}

}  // namespace
}  // namespace inferd
