#include "server/access/access_control.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace inferd {
namespace {

constexpr char kHealthOnly[] = "role { name: 'all' allow: HEALTH } anonymous_role: 'all'";
constexpr char kInferOnly[] = "role { name: 'all' allow: INFERENCE } anonymous_role: 'all'";

class AccessControlTest : public ::testing::Test {
 protected:
  AccessControlTest() {
    std::string folder = ::testing::TempDir() + "inferd-access-XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    options_.config_path = folder_ + "/access.pbtxt";
    // The tests look themselves.
    options_.reload_interval = absl::Hours(1);
  }
  ~AccessControlTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& text) { std::ofstream(options_.config_path) << text; }

  std::string folder_;
  AccessOptions options_;
};

TEST_F(AccessControlTest, TakesOverRulesThatAreGoodAndKeepsTheOldOnesOtherwise) {
  Write(kHealthOnly);
  const auto control = AccessControl::Start(options_);
  ASSERT_TRUE(control.ok()) << control.status();
  const auto allows = [&](ApiCategory category) { return (*control)->Check(category, {}).ok(); };
  EXPECT_TRUE(allows(ApiCategory::kHealth));
  Write("role {");
  (*control)->Look();
  EXPECT_TRUE((*control)->failing());
  EXPECT_TRUE(allows(ApiCategory::kHealth));
  Write(kInferOnly);
  (*control)->Look();
  EXPECT_FALSE((*control)->failing());
  EXPECT_FALSE(allows(ApiCategory::kHealth));
  EXPECT_TRUE(allows(ApiCategory::kInference));
  std::filesystem::remove(options_.config_path);
  (*control)->Look();
  EXPECT_TRUE((*control)->failing());
  EXPECT_TRUE(allows(ApiCategory::kInference));
}

TEST_F(AccessControlTest, DoesNotStartWithABadFile) {
  EXPECT_FALSE(AccessControl::Start(options_).ok());
  Write("token_file: 'nowhere'");
  EXPECT_FALSE(AccessControl::Start(options_).ok());
}

}  // namespace
}  // namespace inferd
