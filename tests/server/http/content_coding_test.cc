#include "server/http/content_coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMax = 1 << 20;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

TEST(ContentCoding, WhatWasCompressedComesBack) {
  for (const ContentCoding coding :
       {ContentCoding::kIdentity, ContentCoding::kGzip, ContentCoding::kDeflate}) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{1} << 20}) {
      std::string body(size, '\0');
      for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * i >> 7);
      const auto compressed = Compress(body, coding);
      ASSERT_TRUE(compressed.ok());
      const auto back = Decompress(*compressed, coding, kMax, nullptr);
      ASSERT_TRUE(back.ok()) << back.status();
      EXPECT_TRUE(*back == body) << size;
    }
  }
}

TEST(ContentCoding, ABodyOfExactlyTheLimitIsTakenAndOneByteMoreIsNot) {
  const std::string compressed = *Compress(std::string(100'000, 'x'), ContentCoding::kGzip);
  EXPECT_TRUE(Decompress(compressed, ContentCoding::kGzip, 100'000, nullptr).ok());
  EXPECT_TRUE(
      absl::IsOutOfRange(Decompress(compressed, ContentCoding::kGzip, 99'999, nullptr).status()));
}

TEST(ContentCoding, ABombEndsAtTheLimit) {
  const std::string bomb = *Compress(std::string(64 << 20, '\0'), ContentCoding::kDeflate);
  EXPECT_LT(bomb.size(), 400'000u);
  InflightBytes inflight(1 << 30);
  InflightCharge charge(&inflight);
  EXPECT_TRUE(
      absl::IsOutOfRange(Decompress(bomb, ContentCoding::kDeflate, kMax, &charge).status()));
  EXPECT_LE(charge.bytes(), kMax + 1);
}

TEST(ContentCoding, MemoryIsAskedForBeforeItIsTaken) {
  const std::string compressed = *Compress(std::string(1 << 20, 'x'), ContentCoding::kGzip);
  InflightBytes inflight(100'000);
  InflightCharge charge(&inflight);
  EXPECT_TRUE(absl::IsResourceExhausted(
      Decompress(compressed, ContentCoding::kGzip, kMax, &charge).status()));
}

TEST(ContentCoding, EveryCutOfABodyIsAnError) {
  const std::string compressed = *Compress("some text that is not long", ContentCoding::kGzip);
  for (size_t size = 0; size < compressed.size(); ++size) {
    const auto back = Decompress(compressed.substr(0, size), ContentCoding::kGzip, kMax, nullptr);
    EXPECT_TRUE(absl::IsInvalidArgument(back.status())) << size;
  }
}

TEST(ContentCoding, DamagedAndSurplusBytesAreErrors) {
  std::string compressed = *Compress("some text", ContentCoding::kGzip);
  compressed[compressed.size() - 5] ^= 1;  // in the checksum
  EXPECT_TRUE(absl::IsInvalidArgument(
      Decompress(compressed, ContentCoding::kGzip, kMax, nullptr).status()));
  const std::string deflated = *Compress("some text", ContentCoding::kDeflate) + "x";
  EXPECT_THAT(Text(Decompress(deflated, ContentCoding::kDeflate, kMax, nullptr).status()),
              HasSubstr("follow"));
  EXPECT_FALSE(Decompress("no gzip", ContentCoding::kGzip, kMax, nullptr).ok());
}

TEST(ContentCoding, SeveralGzipMembersAreOneBody) {
  const std::string two =
      *Compress("one ", ContentCoding::kGzip) + *Compress("two", ContentCoding::kGzip);
  EXPECT_EQ(*Decompress(two, ContentCoding::kGzip, kMax, nullptr), "one two");
}

TEST(ContentCoding, TheEncodingOfABodyIsOneThatIsKnown) {
  EXPECT_EQ(*ParseContentEncoding(""), ContentCoding::kIdentity);
  EXPECT_EQ(*ParseContentEncoding(" GZIP "), ContentCoding::kGzip);
  EXPECT_EQ(*ParseContentEncoding("deflate"), ContentCoding::kDeflate);
  EXPECT_TRUE(absl::IsUnimplemented(ParseContentEncoding("br").status()));
  EXPECT_TRUE(absl::IsUnimplemented(ParseContentEncoding("gzip, gzip").status()));
}

TEST(ContentCoding, TheReplyIsCompressedAsTheClientPrefers) {
  EXPECT_EQ(ChooseCoding(""), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseCoding("br, zstd"), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseCoding("deflate, gzip"), ContentCoding::kGzip);
  EXPECT_EQ(ChooseCoding("gzip;q=0.5, deflate;q=0.8"), ContentCoding::kDeflate);
  EXPECT_EQ(ChooseCoding("gzip;q=0"), ContentCoding::kIdentity);
  EXPECT_EQ(ChooseCoding("gzip;q=0, deflate"), ContentCoding::kDeflate);
}

}  // namespace
}  // namespace inferd
