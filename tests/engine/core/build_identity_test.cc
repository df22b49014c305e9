#include "engine/core/build_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

TEST(BuildIdentity, NamesTheEngineAndItsKernelLibraryWithTheirBuildIds) {
  const std::string identity = BuildIdentity();
  EXPECT_THAT(identity, ::testing::HasSubstr("libdnnl"));
  EXPECT_THAT(identity, ::testing::ContainsRegex("libinferd_engine.so=[0-9a-f]+"));
  EXPECT_EQ(identity, BuildIdentity());
}

TEST(ProcessorIdentity, IsTheSameEachTime) { EXPECT_EQ(ProcessorIdentity(), ProcessorIdentity()); }

}  // namespace
}  // namespace inferd
