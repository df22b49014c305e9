#include "server/commands/serving_checks.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "tests/support/command_runner.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;
using Level = Finding::Level;

constexpr int64_t kMega = int64_t{1} << 20;

// Listens on a port of its own. Used by one thread at a time.
class Listener {
 public:
  Listener() : file_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(file_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(file_, 1), 0);
    socklen_t length = sizeof(address);
    getsockname(file_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(file_); }
  int port() const { return port_; }

 private:
  const int file_;
  int port_ = 0;
};

TEST(ServingChecks, APortInUseFails) {
  int port;
  {
    const Listener listener;
    port = listener.port();
    const Finding finding = CheckPort("grpc", "127.0.0.1", port);
    EXPECT_EQ(finding.level, Level::kFail);
    EXPECT_THAT(finding.advice, HasSubstr("--grpc-port"));
  }
  EXPECT_EQ(CheckPort("grpc", "127.0.0.1", port).level, Level::kOk);
  EXPECT_EQ(CheckPort("grpc", "127.0.0.1", 0).found, "any free one");
}

TEST(ServingChecks, AnAddressOfNobodyFails) {
  EXPECT_EQ(CheckPort("http", "203.0.113.7", 8000).level, Level::kFail);
  EXPECT_EQ(CheckPort("http", "no such host", 8000).level, Level::kFail);
  EXPECT_EQ(CheckPort("http", "::1", 0).level, Level::kOk);
}

TEST(ServingChecks, EachModelIsLookedAt) {
  const TemporaryFolder folder;
  folder.Write("good/1/model.onnx", "x");
  folder.Write("typo/1/model.onnx", "x");
  folder.Write("typo/config.pbtxt", "max_batch: 3");
  folder.Write("lost/config.pbtxt",
               "output { name: 'y' data_type: TYPE_FP32 dims: 1 label_filename: 'l.txt' }");
  folder.Write("lost/1/model.onnx", "x");
  folder.Write("empty/readme", "x");
  folder.Write("misnamed/1/other.onnx", "x");
  std::map<std::string, Finding> findings;
  for (const Finding& finding : CheckRepository(folder.path())) findings[finding.check] = finding;
  EXPECT_EQ(findings["model repository"].level, Level::kOk);
  EXPECT_EQ(findings["model good"].level, Level::kOk);
  EXPECT_THAT(findings["model good"].found, HasSubstr("version 1"));
  for (const auto& [model, text] :
       std::map<std::string, std::string>{{"typo", "max_batch"},
                                          {"lost", "l.txt"},
                                          {"empty", "no version folder"},
                                          {"misnamed", "model.onnx"}}) {
    const Finding& finding = findings["model " + model];
    EXPECT_EQ(finding.level, Level::kFail) << model;
    EXPECT_THAT(finding.found, HasSubstr(text)) << model;
    EXPECT_FALSE(finding.advice.empty()) << model;
  }
}

TEST(ServingChecks, ARepositoryThatIsNotThereFails) {
  const TemporaryFolder folder;
  EXPECT_EQ(CheckRepository(folder.path() + "/none")[0].level, Level::kFail);
  EXPECT_EQ(CheckRepository(folder.path())[0].level, Level::kWarn);
}

TEST(ServingChecks, ACacheFolderMustBeTheUsersAlone) {
  const TemporaryFolder folder;
  EXPECT_EQ(CheckCacheFolder("", kMega).level, Level::kOk);
  EXPECT_EQ(CheckCacheFolder(folder.path() + "/none", kMega).level, Level::kFail);
  folder.Write("entry", std::string(3 * kMega, 'x'));
  const Finding finding = CheckCacheFolder(folder.path(), 4 * kMega);
  EXPECT_EQ(finding.level, Level::kOk) << finding.found;
  EXPECT_THAT(finding.found, HasSubstr("has 3 of at most 4 MiB"));
  chmod(folder.path().c_str(), 0777);
  EXPECT_THAT(CheckCacheFolder(folder.path(), kMega).advice, HasSubstr("chmod"));
}

}  // namespace
}  // namespace inferd
