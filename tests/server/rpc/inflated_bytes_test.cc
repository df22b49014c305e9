#include "server/rpc/inflated_bytes.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/gzip_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace inferd {
namespace {

using google::protobuf::io::ArrayInputStream;
using google::protobuf::io::GzipOutputStream;
using google::protobuf::io::StringOutputStream;
using ::testing::HasSubstr;

std::string Compressed(const std::string& text,
                       GzipOutputStream::Format format = GzipOutputStream::GZIP) {
  std::string compressed;
  StringOutputStream sink(&compressed);
  GzipOutputStream::Options options;
  options.format = format;
  GzipOutputStream stream(&sink, options);
  void* data;
  int size;
  size_t at = 0;
  while (at < text.size() && stream.Next(&data, &size)) {
    const size_t count = std::min(text.size() - at, static_cast<size_t>(size));
    text.copy(static_cast<char*>(data), count, at);
    at += count;
    stream.BackUp(size - static_cast<int>(count));
  }
  stream.Close();
  return compressed;
}

absl::StatusOr<InflatedBytes> Inflate(const std::string& compressed, int64_t limit_bytes,
                                      InflightCharge* charge) {
  // In small pieces, as they come from the wire.
  ArrayInputStream stream(compressed.data(), static_cast<int>(compressed.size()), 100);
  return InflatedBytes::Inflate(&stream, limit_bytes, charge);
}

std::string TextOf(const InflatedBytes& bytes) {
  InflatedBytes::Stream stream(&bytes);
  std::string text;
  const void* data;
  int size;
  while (stream.Next(&data, &size)) text.append(static_cast<const char*>(data), size);
  EXPECT_EQ(stream.ByteCount(), bytes.size());
  return text;
}

std::string Sample(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i % 251);
  return text;
}

TEST(InflatedBytes, GivesBackWhatWasCompressed) {
  InflightBytes total(1 << 20);
  const std::string text = Sample(300000);
  for (const auto format : {GzipOutputStream::GZIP, GzipOutputStream::ZLIB}) {
    InflightCharge charge(&total);
    const auto bytes = Inflate(Compressed(text, format), 300000, &charge);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(TextOf(*bytes), text);
    EXPECT_EQ(charge.bytes(), 300000);
  }
}

TEST(InflatedBytes, StopsAtTheLimitAndHoldsNoMoreThanIt) {
  InflightBytes total(int64_t{1} << 40);
  InflightCharge charge(&total);
  const std::string bomb = Compressed(std::string(100 << 20, 'x'));
  const auto bytes = Inflate(bomb, 1 << 20, &charge);
  EXPECT_EQ(bytes.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(bytes.status().message()), HasSubstr("more than 1048576 bytes"));
  EXPECT_LE(charge.bytes(), 1 << 20);
}

TEST(InflatedBytes, StopsWhereRequestsInFlightTakeTooMuch) {
  InflightBytes total(1 << 18);
  InflightCharge charge(&total);
  const auto bytes = Inflate(Compressed(std::string(1 << 20, 'x')), 1 << 30, &charge);
  EXPECT_EQ(bytes.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_LE(total.used(), 1 << 18);
}

TEST(InflatedBytes, RefusesWhatIsCutOffOrNotCompressed) {
  InflightBytes total(1 << 20);
  InflightCharge charge(&total);
  const std::string whole = Compressed(Sample(5000));
  for (const std::string& bad :
       {std::string("plain text"), std::string(), whole.substr(0, whole.size() / 2)}) {
    EXPECT_EQ(Inflate(bad, 1 << 20, &charge).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(InflatedBytes, AStreamSkipsAndBacksUp) {
  InflightBytes total(1 << 20);
  InflightCharge charge(&total);
  const std::string text = Sample(200000);
  const auto bytes = Inflate(Compressed(text), 1 << 20, &charge);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  InflatedBytes::Stream stream(&*bytes);
  EXPECT_TRUE(stream.Skip(150000));
  const void* data;
  int size;
  ASSERT_TRUE(stream.Next(&data, &size));
  EXPECT_EQ(*static_cast<const char*>(data), text[150000]);
  stream.BackUp(size);
  EXPECT_EQ(stream.ByteCount(), 150000);
  EXPECT_FALSE(stream.Skip(60000));
}

}  // namespace
}  // namespace inferd
