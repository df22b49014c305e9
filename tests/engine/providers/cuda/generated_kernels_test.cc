#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/engine/providers/cuda/device_check.h"

namespace inferd {
namespace {

using testing::CudaProviderTest;
using testing::GraphBuilder;
using testing::RandomTensor;

namespace fs = std::filesystem;

// Over the emulated runtime alone: what a GPU's NVRTC does is no matter of this test.
class GeneratedKernels : public CudaProviderTest {
 protected:
  void SetUp() override {
    if (std::getenv("INFERD_TEST_PROVIDER") != nullptr) GTEST_SKIP();
    folder_ = fs::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    config_.cache_dir = folder_.string();
  }
  void TearDown() override {
    unsetenv("INFERD_EMULATED_NVRTC");
    fs::remove_all(folder_);
  }

  // As a start of the daemon with this NVRTC does; the plan's text.
  std::string Start(const Graph& graph, const char* nvrtc = "1") {
    setenv("INFERD_EMULATED_NVRTC", nvrtc, 1);
    providers_.clear();
    CudaProviderTest::SetUp();
    config_.cache_dir = folder_.string();
    const std::vector<Tensor> inputs = {RandomTensor(Shape({5, 12}))};
    ExpectSame(graph, inputs);
    return (*PlanOf(graph, inputs))->ToString();
  }

  // Files by name with what tells one from another that replaced it.
  std::map<std::string, ino_t> Files() const {
    std::map<std::string, ino_t> files;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      struct stat info;
      if (stat(entry.path().c_str(), &info) == 0) files[entry.path().string()] = info.st_ino;
    }
    return files;
  }

  fs::path folder_;
};

Graph TwoEqualChains() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {5, 12});
  const ValueId first = b.Op("Tanh", {b.Op("Mul", {x, b.Weights(Shape({12}))})});
  const ValueId soft = b.Op("Softmax", {first});
  return b.Build({b.Op("Tanh", {b.Op("Mul", {soft, b.Weights(Shape({12}))})})});
}

TEST_F(GeneratedKernels, AreSharedByEqualChainsAndKeptForTheNextStart) {
  const std::string plan = Start(TwoEqualChains());
  EXPECT_NE(plan.find("elementwise+Tanh (generated)"), std::string::npos) << plan;
  const auto files = Files();
  EXPECT_EQ(files.size(), 1u);
  Start(TwoEqualChains());
  EXPECT_EQ(Files(), files);
}

TEST_F(GeneratedKernels, AreMadeAnewWhereTheirFileIsDamaged) {
  Start(TwoEqualChains());
  const auto files = Files();
  ASSERT_EQ(files.size(), 1u);
  const std::string path = files.begin()->first;
  const auto bytes = fs::file_size(path);
  for (const auto at : {uintmax_t{1}, bytes / 2, bytes - 100}) {
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
        .seekp(static_cast<std::streamoff>(at))
        .write("\1\2\3\4", 4);
    const auto damaged = Files();
    Start(TwoEqualChains());
    EXPECT_NE(Files(), damaged) << "byte " << at;
    EXPECT_EQ(Files().size(), 1u);
  }
  fs::resize_file(path, 10);
  Start(TwoEqualChains());
  EXPECT_EQ(fs::file_size(path), bytes);
}

TEST_F(GeneratedKernels, AreSharedByManySizes) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {5, 12});
  std::vector<ValueId> sums;
  for (const int64_t rows : {2, 3, 4, 6, 7, 8, 9}) {
    sums.push_back(
        b.Op("Sum", {x, b.Weights(Shape({2, 1, 1, 1})), b.Weights(Shape({rows, 1, 1}))}));
  }
  Start(b.Build(sums));
  // Four with constant sizes, and one for the rest.
  EXPECT_EQ(Files().size(), 5u);
}

TEST_F(GeneratedKernels, AreInterpretedWhereNothingCompiles) {
  const std::string plan = Start(TwoEqualChains(), "broken");
  EXPECT_NE(plan.find("elementwise+Tanh (interpreted: NVRTC: an emulated error it is broken)"),
            std::string::npos)
      << plan;
  EXPECT_TRUE(!fs::exists(folder_) || Files().empty());
}

TEST_F(GeneratedKernels, AreSaidToBeThere) {
  Start(TwoEqualChains());
  EXPECT_NE(providers_[0]->description().find("compiled by NVRTC 13.0"), std::string::npos);
}

}  // namespace
}  // namespace inferd
