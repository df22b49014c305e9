#include "engine/providers/provider_library.h"

#include <cstdlib>

#include "engine/providers/device.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

EngineConfig WithProviders(std::vector<std::string> names) {
  EngineConfig config;
  config.providers = std::move(names);
  return config;
}

TEST(ProviderLibrary, LiesBesideTheEngine) {
  const auto provider = LoadProvider(ProviderLibraryPath("fake"), {});
  ASSERT_TRUE(provider.ok()) << provider.status();
  EXPECT_EQ((*provider)->name(), "fake");
  EXPECT_EQ((*provider)->device()->name(), "fake:0");
}

TEST(ProviderLibrary, OfOtherHeadersIsRefusedWithBothIds) {
  const absl::Status status = LoadProvider(ProviderLibraryPath("stale"), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("expected interface " + std::string(InterfaceId())),
                    HasSubstr("got another build")));
}

TEST(ProviderLibrary, ThatIsNoProvidersIsRefused) {
  const absl::Status status = LoadProvider(INFERD_ORDINARY_LIBRARY, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is no provider"));
}

TEST(ProviderLibrary, ThatCannotBeLoadedIsRefusedWithTheReason) {
  const absl::Status status = LoadProvider("/proc/self/status", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot be loaded"));
}

TEST(MakeProviders, PutsTheCpuBehindADevice) {
  const auto providers = MakeProviders(WithProviders({"fake"}));
  ASSERT_TRUE(providers.ok()) << providers.status();
  ASSERT_EQ(providers->size(), 2u);
  EXPECT_EQ((*providers)[1]->name(), "cpu");
}

TEST(MakeProviders, LeavesTheRestToThePortableKernelsWhenTold) {
  const auto providers = MakeProviders(WithProviders({"fake", "portable"}));
  ASSERT_TRUE(providers.ok()) << providers.status();
  EXPECT_EQ(providers->size(), 1u);
}

TEST(MakeProviders, SaysWhichLibraryAnUnknownProviderWouldNeed) {
  const absl::Status status = MakeProviders(WithProviders({"abacus"})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("provider 'abacus'"), HasSubstr("/libinferd_abacus.so")));
}

TEST(MakeProviders, TakesNoPathForAName) {
  const absl::Status status = MakeProviders(WithProviders({"../../tmp/x"})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(MakeProviders, SaysWhyADeviceDoesNotAnswer) {
  setenv("INFERD_FAKE_DEVICE", "absent", 1);
  const absl::Status status = MakeProviders(WithProviders({"fake", "cpu"})).status();
  unsetenv("INFERD_FAKE_DEVICE");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("provider 'fake'"), HasSubstr("no fake device answers")));
}

}  // namespace
}  // namespace inferd
