#include "server/commands/npy.h"

#include <gtest/gtest.h>

#include <complex>
#include <string>
#include <vector>

namespace inferd {
namespace {

std::string File(const std::string& header, const std::string& data, char version = 1) {
  std::string bytes("\x93NUMPY", 6);
  bytes.push_back(version);
  bytes.push_back(0);
  bytes.push_back(static_cast<char>(header.size() & 0xff));
  bytes.push_back(static_cast<char>(header.size() >> 8));
  if (version > 1) bytes.append(2, '\0');
  return bytes + header + data;
}

std::string Header(const std::string& descr, const std::string& shape,
                   const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': (" + shape + "), }\n";
}

void ExpectError(const std::string& bytes, const std::string& part) {
  const auto tensor = ParseNpy(bytes);
  ASSERT_FALSE(tensor.ok());
  EXPECT_NE(tensor.status().message().find(part), absl::string_view::npos) << tensor.status();
}

template <typename T>
void ExpectRoundTrip(std::vector<T> values) {
  const Tensor tensor =
      Tensor::FromValues<T>(Shape{1, static_cast<int64_t>(values.size())}, values);
  const auto bytes = FormatNpy(tensor);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto read = ParseNpy(*bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->TypeString(), tensor.TypeString());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(read->data<T>()[i], values[i]);
}

TEST(Npy, RoundTripsNumpysTypes) {
  ExpectRoundTrip<float>({1.5f, -2});
  ExpectRoundTrip<double>({1.5, -2});
  ExpectRoundTrip<Float16>({1.5f, -2.0f});
  ExpectRoundTrip<int8_t>({-1, 2});
  ExpectRoundTrip<int16_t>({-1, 2});
  ExpectRoundTrip<int32_t>({-1, 2});
  ExpectRoundTrip<int64_t>({-1, int64_t{1} << 60});
  ExpectRoundTrip<uint8_t>({255});
  ExpectRoundTrip<uint16_t>({65535});
  ExpectRoundTrip<uint32_t>({4000000000u});
  ExpectRoundTrip<uint64_t>({uint64_t{1} << 63});
  ExpectRoundTrip<std::complex<float>>({{1, 2}});
  ExpectRoundTrip<std::complex<double>>({{1, 2}});
}

TEST(Npy, KeepsScalarsAndEmptyShapes) {
  EXPECT_EQ(ParseNpy(*FormatNpy(Tensor::Scalar<float>(3)))->rank(), 0);
  EXPECT_EQ(ParseNpy(*FormatNpy(Tensor::FromValues<float>(Shape{0, 3}, {})))->shape(),
            (Shape{0, 3}));
}

TEST(Npy, AlignsTheDataTo64Bytes) {
  const std::string bytes = *FormatNpy(Tensor::FromValues<float>(Shape{2}, {1, 2}));
  EXPECT_EQ((bytes.size() - 8) % 64, 0u);
}

TEST(Npy, WritesTypesThatNumpyLacks) {
  const auto bfloat16 = ParseNpy(*FormatNpy(Tensor::FromValues<Bfloat16>(Shape{1}, {1.5f})));
  ASSERT_TRUE(bfloat16.ok());
  EXPECT_EQ(bfloat16->data<float>()[0], 1.5f);
  EXPECT_FALSE(FormatNpy(Tensor::FromValues<std::string>(Shape{1}, {"a"})).ok());
  EXPECT_FALSE(FormatNpy(Tensor::Sequence({})).ok());
}

TEST(Npy, ReadsBigEndianColumnMajorAndVersion2) {
  const auto swapped = ParseNpy(File(Header(">i2", "2,"), std::string("\x01\x02\x03\x04", 4)));
  ASSERT_TRUE(swapped.ok()) << swapped.status();
  EXPECT_EQ(swapped->data<int16_t>()[0], 0x0102);
  const auto columns = ParseNpy(File(Header("|u1", "2, 3", "True"), "adbecf", 2));
  ASSERT_TRUE(columns.ok()) << columns.status();
  EXPECT_EQ(std::string(static_cast<const char*>(columns->raw()), 6), "abcdef");
}

TEST(Npy, NormalizesBools) {
  const auto tensor = ParseNpy(File(Header("|b1", "2,"), std::string("\x07\x00", 2)));
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(static_cast<const uint8_t*>(tensor->raw())[0], 1);
}

TEST(Npy, RefusesWhatItCannotRead) {
  ExpectError("", "magic");
  ExpectError("nothing like it", "magic");
  ExpectError(File(Header("<f4", "1,"), "1234", 9), "version is 9");
  ExpectError(File(Header("<U4", "1,"), std::string(16, 'a')), "'<U4' is not supported");
  ExpectError(File(Header("|O", "1,"), "1234"), "not supported");
  ExpectError(File("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234"),
              "records");
  ExpectError(File("{'descr': '<f4'}", "1234"), "no 'fortran_order'");
  ExpectError(std::string("\x93NUMPY\x01\x00\xff\xff", 10), "cut short");
}

TEST(Npy, RefusesWrongSizesWithoutAllocating) {
  ExpectError(File(Header("<f4", "2,"), "1234"), "4 bytes of data; float32[2] needs 8");
  ExpectError(File(Header("<f4", "1,"), "12345"), "needs 4");
  ExpectError(File(Header("<f8", "1000000000, 1000"), ""), "needs 8000000000000");
  ExpectError(File(Header("<f4", "99999999999999999999"), ""), "shape has");
  ExpectError(File(Header("<f4", "4294967296, 4294967296"), ""), "");
  ExpectError(File(Header("<f4", "-1,"), ""), "shape has '-1'");
}

TEST(Npy, NamesTheFile) {
  EXPECT_NE(ReadNpy("/does/not/exist.npy").status().message().find("/does/not/exist.npy"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace inferd
