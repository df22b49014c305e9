#include "server/repository/version_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(VersionPolicy, LatestTakesTheNewest) {
  VersionPolicy policy;
  EXPECT_THAT(ChooseVersions(policy, {1, 2, 10}).serve, ElementsAre(10));
  policy.count = 2;
  EXPECT_THAT(ChooseVersions(policy, {1, 2, 10}).serve, ElementsAre(2, 10));
  policy.count = 9;
  EXPECT_THAT(ChooseVersions(policy, {1}).serve, ElementsAre(1));
  EXPECT_THAT(ChooseVersions(policy, {}).serve, IsEmpty());
}

TEST(VersionPolicy, AllTakesAll) {
  VersionPolicy policy;
  policy.kind = VersionPolicy::Kind::kAll;
  EXPECT_THAT(ChooseVersions(policy, {1, 3}).serve, ElementsAre(1, 3));
}

TEST(VersionPolicy, SpecificTellsWhatIsMissing) {
  VersionPolicy policy;
  policy.kind = VersionPolicy::Kind::kSpecific;
  policy.versions = {2, 3};
  const VersionChoice choice = ChooseVersions(policy, {1, 3});
  EXPECT_THAT(choice.serve, ElementsAre(3));
  EXPECT_THAT(choice.missing, ElementsAre(2));
}

}  // namespace
}  // namespace inferd
