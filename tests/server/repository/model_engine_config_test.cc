#include "server/repository/model_engine_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;

TEST(EngineConfigOf, PutsAModelOnTheDevicesOfItsInstanceGroup) {
  ModelOptions options;
  options.on_devices = true;
  options.device_ordinals = {1, 2};
  options.executions_per_device = 3;
  const EngineConfig config = EngineConfigOf({}, options);
  EXPECT_TRUE(config.needs_device);
  EXPECT_THAT(config.device_ordinals, ElementsAre(1, 2));
  EXPECT_EQ(config.executions_per_device, 3);
}

TEST(EngineConfigOf, TakesDevicesFromAModelForTheHost) {
  ModelOptions options;
  options.on_host = true;
  EngineConfig server;
  server.providers = {"cuda"};
  EXPECT_THAT(EngineConfigOf(server, options).providers, ElementsAre("cpu"));
  server.providers = {"cuda", "portable"};
  EXPECT_THAT(EngineConfigOf(server, options).providers, ElementsAre("portable"));
  options.on_host = false;
  EXPECT_THAT(EngineConfigOf(server, options).providers, ElementsAre("cuda", "portable"));
}

}  // namespace
}  // namespace inferd
