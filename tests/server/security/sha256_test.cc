#include "server/security/sha256.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace inferd {
namespace {

// The digest of "abc" in FIPS 180-2.
constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, GivesTheStandardsDigest) { EXPECT_EQ(Sha256Text(Sha256("abc")), kAbc); }

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  std::FILE* file = std::tmpfile();
  const std::string bytes(3 << 20, 'x');
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fflush(file);
  const auto digest = Sha256OfFile(fileno(file));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(*digest, Sha256(bytes));
  std::fclose(file);
  EXPECT_FALSE(Sha256OfFile(-1).ok());
}

TEST(Sha256, ReadsHexadecimalDigitsOfEitherCase) {
  std::string upper = kAbc;
  for (char& digit : upper) digit = static_cast<char>(std::toupper(digit));
  EXPECT_TRUE(EqualDigests(*ParseSha256(upper), Sha256("abc")));
  EXPECT_FALSE(ParseSha256("12").ok());
  EXPECT_FALSE(ParseSha256(std::string(64, 'g')).ok());
}

}  // namespace
}  // namespace inferd
