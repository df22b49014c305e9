#include "server/repository/change_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ChangeDetectorTest : public ::testing::Test {
 protected:
  struct Version {
    int64_t number;
    std::string fingerprint;
    int changed_at = 0;  // in seconds
  };

  static ModelFolder Folder(const std::string& name, std::vector<Version> versions,
                            const std::string& config = "") {
    ModelFolder folder;
    folder.name = name;
    folder.config_text = config;
    for (const Version& version : versions) {
      folder.versions.push_back(version.number);
      folder.files[version.number] = {version.fingerprint, At(version.changed_at)};
    }
    return folder;
  }
  static absl::Time At(int seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

  // "m 1 2", "-n": what a look at ten seconds after the last one reports.
  std::vector<std::string> Look(std::vector<ModelFolder> folders) {
    now_ += 10;
    const ChangeDetector::Changes changes = detector_.Update(std::move(folders), At(now_));
    std::vector<std::string> text;
    for (const ModelFolder& folder : changes.changed) {
      std::string line = folder.name;
      for (const int64_t version : folder.versions) line += " " + std::to_string(version);
      text.push_back(line);
    }
    for (const std::string& name : changes.gone) text.push_back("-" + name);
    return text;
  }

  ChangeDetector detector_;
  int now_ = 0;
};

TEST_F(ChangeDetectorTest, TakesEverythingAtFirst) {
  EXPECT_THAT(Look({Folder("m", {{1, "a", 9}}), Folder("empty", {})}), ElementsAre("m 1", "empty"));
  EXPECT_THAT(Look({Folder("m", {{1, "a", 9}}), Folder("empty", {})}), IsEmpty());
}

TEST_F(ChangeDetectorTest, TakesAVersionOnceTwoLooksFoundTheSame) {
  Look({Folder("m", {{1, "a"}})});
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "half", 19}})}), IsEmpty());
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "whole", 29}})}), IsEmpty());
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "whole", 29}})}), ElementsAre("m 1 2"));
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "whole", 29}})}), IsEmpty());
}

TEST_F(ChangeDetectorTest, TakesAVersionThatWasRenamedIntoPlaceAtOnce) {
  Look({Folder("m", {{1, "a"}})});
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "whole", 5}})}), ElementsAre("m 1 2"));
  // A whole model as well.
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "whole", 5}}), Folder("n", {{1, "b", 11}})}),
              ElementsAre("n 1"));
}

TEST_F(ChangeDetectorTest, KeepsWhatItToldWhileAVersionIsWrittenOver) {
  Look({Folder("m", {{1, "a"}, {2, "b"}})});
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "c", 19}})}), IsEmpty());
  EXPECT_THAT(Look({Folder("m", {{1, "a"}, {2, "c", 19}})}), ElementsAre("m 1 2"));
}

TEST_F(ChangeDetectorTest, TellsOfVersionsAndModelsThatAreGone) {
  Look({Folder("m", {{1, "a"}, {2, "b"}}), Folder("n", {{1, "c"}})});
  EXPECT_THAT(Look({Folder("m", {{1, "a"}})}), ElementsAre("m 1", "-n"));
  EXPECT_THAT(Look({Folder("m", {})}), ElementsAre("m"));
  EXPECT_THAT(Look({}), ElementsAre("-m"));
  EXPECT_THAT(Look({}), IsEmpty());
}

TEST_F(ChangeDetectorTest, TakesAConfigOnceTwoLooksFoundTheSame) {
  Look({Folder("m", {{1, "a"}}, "old")});
  EXPECT_THAT(Look({Folder("m", {{1, "a"}}, "ne")}), IsEmpty());
  EXPECT_THAT(Look({Folder("m", {{1, "a"}}, "new")}), IsEmpty());
  EXPECT_THAT(Look({Folder("m", {{1, "a"}}, "new")}), ElementsAre("m 1"));
}

TEST_F(ChangeDetectorTest, IgnoresAFolderThatIsJustBeingFilled) {
  Look({});
  EXPECT_THAT(Look({Folder("m", {})}), IsEmpty());
  EXPECT_THAT(Look({Folder("m", {{1, "half", 29}})}), IsEmpty());
  EXPECT_THAT(Look({Folder("m", {{1, "half", 29}})}), ElementsAre("m 1"));
}

}  // namespace
}  // namespace inferd
