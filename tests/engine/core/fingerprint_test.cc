#include "engine/core/fingerprint.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace inferd {
namespace {

TEST(Fingerprint, TellsEveryLengthAndEveryChangedByteApart) {
  std::set<std::string> seen;
  for (size_t size = 0; size <= 130; ++size) {
    const std::string zeros(size, '\0');
    EXPECT_TRUE(seen.insert(FingerprintOf(zeros).ToHex()).second) << size;
    for (size_t at = 0; at < size; ++at) {
      std::string changed = zeros;
      changed[at] = 1;
      EXPECT_TRUE(seen.insert(FingerprintOf(changed).ToHex()).second) << size << " " << at;
    }
  }
}

TEST(Fingerprint, TellsTheOrderOfBlocksApart) {
  const std::string a(32, 'a');
  const std::string b(32, 'b');
  EXPECT_NE(FingerprintOf(a + b), FingerprintOf(b + a));
  EXPECT_EQ(FingerprintOf(a + b), FingerprintOf(a + b));
}

}  // namespace
}  // namespace inferd
