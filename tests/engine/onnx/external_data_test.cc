#include "engine/onnx/external_data.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/onnx/importer.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::ModelBuilder;

// A folder with model/weights.bin (8 bytes: floats 1 and 2) and, outside of model/, secret.bin.
class ExternalDataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/external_data_XXXXXX";
    root_ = mkdtemp(pattern.data());
    folder_ = root_ + "/model";
    std::filesystem::create_directory(folder_);
    const float values[] = {1, 2};
    for (const std::string& path : {folder_ + "/weights.bin", root_ + "/secret.bin"}) {
      std::ofstream(path, std::ios::binary)
          .write(reinterpret_cast<const char*>(values), sizeof(values));
    }
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  absl::StatusOr<ImportedModel> Import(const std::string& location, const std::string& offset = "",
                                       const std::string& length = "", int64_t elements = 2,
                                       int64_t limit_bytes = 1 << 20) {
    ModelBuilder model;
    model.Input("x", DType::kFloat32, {elements});
    auto& tensor = model.Floats("w", {elements}, {});
    tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
    const auto set = [&](const std::string& key, const std::string& value) {
      if (value.empty()) return;
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    set("location", location);
    set("offset", offset);
    set("length", length);
    set("checksum", "ignored");
    model.Node("Add", {"x", "w"}, {"y"});
    model.Output("y");
    const std::string path = folder_ + "/model.onnx";
    std::ofstream(path, std::ios::binary) << model.Bytes();
    return ImportOnnx(path, limit_bytes);
  }

  void ExpectError(const absl::StatusOr<ImportedModel>& model, const std::string& part) {
    ASSERT_FALSE(model.ok());
    EXPECT_NE(model.status().message().find(part), absl::string_view::npos) << model.status();
    EXPECT_NE(model.status().message().find("tensor 'w'"), absl::string_view::npos);
  }

  std::string root_;
  std::string folder_;
};

float Second(const ImportedModel& model) {
  return model.graph.constant(model.graph.node(0).inputs[1])->values<float>().back();
}

TEST_F(ExternalDataTest, ReadsAFileBesideTheModel) {
  const auto model = Import("weights.bin");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(Second(*model), 2);
  const auto part = Import("./weights.bin", "4", "4", 1);
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_EQ(Second(*part), 2);
}

TEST_F(ExternalDataTest, RefusesPathsOutOfTheFolder) {
  ExpectError(Import("../secret.bin"), "leaves the model's folder");
  ExpectError(Import("sub/../../secret.bin"), "leaves the model's folder");
  ExpectError(Import(root_ + "/secret.bin"), "is absolute");
  ExpectError(Import(""), "no location");
}

TEST_F(ExternalDataTest, RefusesLinksOutOfTheFolder) {
  ASSERT_EQ(symlink("../secret.bin", (folder_ + "/link.bin").c_str()), 0);
  ASSERT_EQ(symlink(root_.c_str(), (folder_ + "/up").c_str()), 0);
  ExpectError(Import("link.bin"), "link that leaves the model's folder");
  ExpectError(Import("up/secret.bin"), "link that leaves the model's folder");
}

TEST_F(ExternalDataTest, RefusesRangesPastTheEnd) {
  ExpectError(Import("weights.bin", "4"), "which has 8 bytes");
  ExpectError(Import("weights.bin", "9223372036854775807"), "which has 8 bytes");
  ExpectError(Import("weights.bin", "-1"), "not negative");
  ExpectError(Import("weights.bin", "0", "-8"), "not negative");
  ExpectError(Import("weights.bin", "0", "4"), "length 4; its type and shape need 8");
  ExpectError(Import("weights.bin", "zero"), "offset 'zero'");
  ExpectError(Import("weights.bin", "", "", int64_t{1} << 30, int64_t{1} << 40), "8 bytes");
}

TEST_F(ExternalDataTest, RefusesWhatIsNoFile) {
  ExpectError(Import("missing.bin"), "cannot open external data file 'missing.bin'");
  std::filesystem::create_directory(folder_ + "/folder");
  ExpectError(Import("folder"), "not a regular file");
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  ExpectError(Import("pipe"), "not a regular file");
}

TEST_F(ExternalDataTest, CountsAgainstTheLimit) {
  const auto model = Import("weights.bin", "", "", 2, 7);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ExternalDataTest, IsRefusedForModelsWithoutAFolder) {
  ModelBuilder model;
  auto& tensor = model.Floats("w", {2}, {});
  tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
  auto& entry = *tensor.add_external_data();
  entry.set_key("location");
  entry.set_value("weights.bin");
  model.Output("w");
  ExpectError(ImportOnnxBytes(model.Bytes(), "", 1 << 20), "without a folder");
}

}  // namespace
}  // namespace inferd
