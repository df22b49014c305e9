#include "server/rpc/metadata_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/rpc/fake_repository.h"

namespace inferd {
namespace {

class MetadataCalls : public ::testing::Test {
 protected:
  MetadataCalls() {
    fake_.AddIdentity("a");
    fake_.AddIdentity("m", 1);
    fake_.Add(
        "m", 2, [] { return FakeModel::Identity(); }, "version_policy { all {} }");
    fake_.Add("broken", 1, [] { return absl::InvalidArgumentError("bad weights"); });
    repository_ = &fake_.Start();
  }

  FakeRepository fake_;
  ModelRepository* repository_;
};

TEST_F(MetadataCalls, TheServerListsWhatWorks) {
  inference::ServerMetadataResponse response;
  SharedMemoryRegions regions(1, 1);
  ASSERT_TRUE(DescribeServer({.shared_memory = &regions}, &response).ok());
  EXPECT_EQ(response.name(), "inferd");
  EXPECT_NE(response.version(), "");
  EXPECT_THAT(response.extensions(), ::testing::Contains("statistics"));
  EXPECT_THAT(response.extensions(), ::testing::Contains("system_shared_memory"));
  response.Clear();
  ASSERT_TRUE(DescribeServer({}, &response).ok());
  EXPECT_THAT(response.extensions(), ::testing::Not(::testing::Contains("system_shared_memory")));
}

TEST_F(MetadataCalls, AModelShowsItsTensorsAndReadyVersions) {
  inference::ModelMetadataRequest request;
  inference::ModelMetadataResponse response;
  request.set_name("m");
  ASSERT_TRUE(DescribeModel(*repository_, request, &response).ok());
  EXPECT_THAT(response.versions(), ::testing::ElementsAre("1", "2"));
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).name(), "X");
  EXPECT_EQ(response.inputs(0).datatype(), "FP32");
  EXPECT_THAT(response.inputs(0).shape(), ::testing::ElementsAre(-1, 2));
  EXPECT_EQ(response.outputs(0).name(), "Y");
  EXPECT_NE(response.platform(), "");
}

TEST_F(MetadataCalls, TheConfigNamesTheSameTensors) {
  inference::ModelConfigRequest request;
  inference::ModelConfigResponse response;
  request.set_name("m");
  ASSERT_TRUE(ShowModelConfig(*repository_, request, &response).ok());
  EXPECT_EQ(response.config().name(), "m");
  EXPECT_EQ(response.config().max_batch_size(), 32);
  ASSERT_EQ(response.config().input_size(), 1);
  EXPECT_EQ(response.config().input(0).name(), "X");
  EXPECT_THAT(response.config().input(0).dims(), ::testing::ElementsAre(2));
}

TEST_F(MetadataCalls, UnknownModelsAreNotFound) {
  inference::ModelMetadataRequest metadata;
  inference::ModelMetadataResponse response;
  metadata.set_name("nobody");
  EXPECT_TRUE(absl::IsNotFound(DescribeModel(*repository_, metadata, &response)));
  inference::ModelConfigRequest config;
  inference::ModelConfigResponse config_response;
  config.set_name("broken");
  EXPECT_TRUE(absl::IsNotFound(ShowModelConfig(*repository_, config, &config_response)));
}

TEST_F(MetadataCalls, StatisticsShowOneVersionOneModelOrAll) {
  inference::ModelStatisticsRequest request;
  inference::ModelStatisticsResponse response;
  ASSERT_TRUE(ShowStatistics(*repository_, request, &response).ok());
  EXPECT_EQ(response.model_stats_size(), 3);
  request.set_name("m");
  response.Clear();
  ASSERT_TRUE(ShowStatistics(*repository_, request, &response).ok());
  ASSERT_EQ(response.model_stats_size(), 2);
  EXPECT_EQ(response.model_stats(1).version(), "2");
  EXPECT_TRUE(response.model_stats(1).inference_stats().has_queue());
  request.set_version("1");
  response.Clear();
  ASSERT_TRUE(ShowStatistics(*repository_, request, &response).ok());
  EXPECT_EQ(response.model_stats_size(), 1);
  request.set_name("");
  EXPECT_TRUE(absl::IsInvalidArgument(ShowStatistics(*repository_, request, &response)));
}

TEST_F(MetadataCalls, TheIndexShowsStatesAndReasons) {
  inference::RepositoryIndexRequest request;
  inference::RepositoryIndexResponse response;
  ASSERT_TRUE(ShowRepositoryIndex(*repository_, request, &response).ok());
  ASSERT_EQ(response.models_size(), 4);
  EXPECT_EQ(response.models(1).name(), "broken");
  EXPECT_EQ(response.models(1).state(), "UNAVAILABLE");
  EXPECT_THAT(response.models(1).reason(), ::testing::HasSubstr("bad weights"));
  EXPECT_EQ(response.models(3).state(), "READY");
  request.set_ready(true);
  response.Clear();
  ASSERT_TRUE(ShowRepositoryIndex(*repository_, request, &response).ok());
  EXPECT_EQ(response.models_size(), 3);
  request.set_repository_name("other");
  EXPECT_TRUE(absl::IsUnimplemented(ShowRepositoryIndex(*repository_, request, &response)));
}

}  // namespace
}  // namespace inferd
