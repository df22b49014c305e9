#include "server/security/certificate_watcher.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/server/security/test_certificates.h"

namespace inferd {
namespace {

class CertificateWatcherTest : public ::testing::Test {
 protected:
  CertificateWatcherTest() {
    std::string folder = ::testing::TempDir() + "inferd-certificates-XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    options_.certificate_path = folder_ + "/tls.crt";
    options_.key_path = folder_ + "/tls.key";
    // The tests look themselves.
    options_.reload_interval = absl::Hours(1);
    Write(good_);
  }
  ~CertificateWatcherTest() override { std::filesystem::remove_all(folder_); }

  void Write(const TestPair& pair) {
    std::ofstream(options_.certificate_path) << pair.certificate;
    std::ofstream(options_.key_path) << pair.key;
  }

  const TestPair good_ = MakeTestPair("good", absl::Now() + absl::Hours(5));
  const TestPair better_ = MakeTestPair("better", absl::Now() + absl::Hours(9));
  std::string folder_;
  TlsOptions options_;
};

TEST_F(CertificateWatcherTest, TakesOverAPairThatIsGood) {
  const auto watcher = CertificateWatcher::Start(options_);
  ASSERT_TRUE(watcher.ok()) << watcher.status();
  const auto first = (*watcher)->current();
  EXPECT_EQ(first->certificates, good_.certificate);
  (*watcher)->Look(absl::Now());
  EXPECT_EQ((*watcher)->current(), first);
  Write(better_);
  (*watcher)->Look(absl::Now());
  EXPECT_EQ((*watcher)->current()->subject, "/CN=better");
  EXPECT_FALSE((*watcher)->failing());
}

TEST_F(CertificateWatcherTest, KeepsTheOldPairWhileTheNewOneIsBad) {
  const auto watcher = CertificateWatcher::Start(options_);
  ASSERT_TRUE(watcher.ok()) << watcher.status();
  for (const TestPair& bad : {TestPair{better_.certificate, good_.key}, TestPair{"", ""},
                              MakeTestPair("old", absl::Now() - absl::Hours(1))}) {
    Write(bad);
    (*watcher)->Look(absl::Now());
    EXPECT_TRUE((*watcher)->failing());
    EXPECT_EQ((*watcher)->current()->certificates, good_.certificate);
    Write(good_);
    (*watcher)->Look(absl::Now());
    EXPECT_FALSE((*watcher)->failing());
  }
}

TEST_F(CertificateWatcherTest, DoesNotStartWithABadPair) {
  Write({good_.certificate, better_.key});
  EXPECT_EQ(CertificateWatcher::Start(options_).status().code(),
            absl::StatusCode::kInvalidArgument);
  std::filesystem::remove(options_.key_path);
  EXPECT_EQ(CertificateWatcher::Start(options_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace inferd
