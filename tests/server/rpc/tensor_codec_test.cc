#include "server/rpc/tensor_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace inferd {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNoLimit = int64_t{1} << 40;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

template <typename T>
std::string Bytes(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

std::string BytesElement(absl::string_view text) {
  return Bytes<uint32_t>({static_cast<uint32_t>(text.size())}) + std::string(text);
}

// Bytes in two pieces, as a message that is not parsed may have them. Immutable.
class SplitSource : public ByteSource {
 public:
  explicit SplitSource(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  const char* contiguous() const override { return nullptr; }
  absl::Status Copy(int64_t begin, int64_t count, void* to) const override {
    std::memcpy(to, bytes_.data() + begin, count);
    return absl::OkStatus();
  }

 private:
  const std::string bytes_;
};

class TensorCodec : public ::testing::Test {
 protected:
  absl::StatusOr<Tensor> Decode(absl::string_view datatype, std::vector<int64_t> shape,
                                const std::string& raw) {
    raw_ = raw;
    shape_ = std::move(shape);
    const StringSource source(raw_);
    return DecodeTensor({datatype, shape_, &source, nullptr}, &charge_);
  }
  void ExpectRefused(absl::string_view datatype, std::vector<int64_t> shape, const std::string& raw,
                     const std::string& text) {
    const absl::Status status = Decode(datatype, std::move(shape), raw).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(Text(status), HasSubstr(text));
  }

  std::string raw_;
  std::vector<int64_t> shape_;
  InflightBytes inflight_{kNoLimit};
  InflightCharge charge_{&inflight_};
};

TEST_F(TensorCodec, BorrowsRawNumbers) {
  const auto tensor = Decode("FP32", {2, 1}, Bytes<float>({1.5f, -2}));
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->raw(), raw_.data());
  EXPECT_EQ(tensor->TypeString(), "float32[2,1]");
  EXPECT_EQ(tensor->data<float>()[1], -2);
  EXPECT_EQ(charge_.bytes(), 0);
}

TEST_F(TensorCodec, KnowsEveryDatatypeOfTheProtocol) {
  const std::pair<const char*, int> sizes[] = {
      {"BOOL", 1}, {"UINT8", 1}, {"UINT16", 2}, {"UINT32", 4}, {"UINT64", 8},
      {"INT8", 1}, {"INT16", 2}, {"INT32", 4},  {"INT64", 8},  {"FP16", 2},
      {"BF16", 2}, {"FP32", 4},  {"FP64", 8}};
  for (const auto& [datatype, size] : sizes) {
    const auto tensor = Decode(datatype, {3}, std::string(3 * size, '\0'));
    ASSERT_TRUE(tensor.ok()) << datatype << tensor.status();
    EXPECT_EQ(tensor->byte_size(), 3 * size) << datatype;
  }
}

TEST_F(TensorCodec, RefusesUnknownDatatypes) {
  ExpectRefused("FLOAT", {1}, "abcd", "unknown datatype 'FLOAT'");
  ExpectRefused("", {1}, "abcd", "unknown datatype ''");
}

TEST_F(TensorCodec, RefusesAWrongNumberOfBytes) {
  ExpectRefused("FP32", {2}, "1234567", "expected 8 bytes for FP32[2], got 7");
  ExpectRefused("FP32", {2}, "123456789", "expected 8 bytes for FP32[2], got 9");
  ExpectRefused("INT64", {}, "", "expected 8 bytes");
}

TEST_F(TensorCodec, RefusesNegativeAndOverflowingShapes) {
  ExpectRefused("UINT8", {-1}, "", "");
  ExpectRefused("UINT8", {int64_t{1} << 40, int64_t{1} << 40}, "", "");
  const int64_t most = std::numeric_limits<int64_t>::max();
  ExpectRefused("FP64", {most, most, 0, -3}, "", "");
  ExpectRefused("UINT8", std::vector<int64_t>(33, 1), "a", "33 dimensions");
}

TEST_F(TensorCodec, TakesEmptyTensors) {
  const auto tensor = Decode("FP32", {0, 4}, "");
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->num_elements(), 0);
  EXPECT_TRUE(Decode("BYTES", {0}, "").ok());
  ExpectRefused("BYTES", {0}, "abcd", "4 bytes of data are left after 0 elements");
}

TEST_F(TensorCodec, TakesAnEmptyTensorWithoutData) {
  const std::vector<int64_t> shape = {2, 0};
  EXPECT_TRUE(DecodeTensor({"FP32", shape, nullptr, nullptr}, &charge_).ok());
  const std::vector<int64_t> full = {2, 1};
  const absl::Status status = DecodeTensor({"FP32", full, nullptr, nullptr}, &charge_).status();
  EXPECT_THAT(Text(status), HasSubstr("expected 2 elements for FP32[2,1], got no data"));
}

TEST_F(TensorCodec, RefusesBoolBytesOtherThanZeroAndOne) {
  EXPECT_TRUE(Decode("BOOL", {2}, std::string("\0\1", 2)).ok());
  ExpectRefused("BOOL", {3}, std::string("\0\1\2", 3), "element 2 is the byte 2");
}

TEST_F(TensorCodec, ReadsBytesElements) {
  const auto tensor = Decode("BYTES", {2}, BytesElement("day") + BytesElement(""));
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->data<std::string>()[0], "day");
  EXPECT_EQ(tensor->data<std::string>()[1], "");
  EXPECT_GE(charge_.bytes(), 3);
}

TEST_F(TensorCodec, RefusesBytesThatAreTooShortOrTooLong) {
  ExpectRefused("BYTES", {2}, BytesElement("day"), "before the length of element 1");
  ExpectRefused("BYTES", {1}, "\3", "before the length of element 0");
  ExpectRefused("BYTES", {1}, Bytes<uint32_t>({0xffffffffu}) + "abc", "has length 4294967295");
  ExpectRefused("BYTES", {1}, BytesElement("day") + "x", "1 bytes of data are left");
}

TEST_F(TensorCodec, ALargeNumberOfElementsAllocatesNothingBeforeItIsBelieved) {
  ExpectRefused("BYTES", {int64_t{1} << 47}, BytesElement("day"), "before the length of element 1");
}

TEST_F(TensorCodec, StringsCountAgainstTheMemoryInFlight) {
  InflightBytes small(1000);
  InflightCharge charge(&small);
  const std::string raw(400, '\0');  // 100 empty elements
  const StringSource source(raw);
  const std::vector<int64_t> shape = {100};
  const absl::Status status = DecodeTensor({"BYTES", shape, &source, nullptr}, &charge).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST_F(TensorCodec, CopiesWhatLiesInPieces) {
  const SplitSource numbers(Bytes<int32_t>({7, 8}));
  const std::vector<int64_t> shape = {2};
  const auto tensor = DecodeTensor({"INT32", shape, &numbers, nullptr}, &charge_);
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->data<int32_t>()[1], 8);
  EXPECT_EQ(charge_.bytes(), 8);
  const SplitSource strings(BytesElement("a") + BytesElement("bc"));
  const auto text = DecodeTensor({"BYTES", shape, &strings, nullptr}, &charge_);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->data<std::string>()[1], "bc");
}

TEST_F(TensorCodec, CopiesWhatIsNotAligned) {
  const std::string bytes = "x" + Bytes<double>({2.5});
  class Offset : public StringSource {
   public:
    using StringSource::StringSource;
    int64_t size() const override { return StringSource::size() - 1; }
    const char* contiguous() const override { return StringSource::contiguous() + 1; }
    absl::Status Copy(int64_t begin, int64_t count, void* to) const override {
      return StringSource::Copy(begin + 1, count, to);
    }
  };
  const Offset source(bytes);
  const std::vector<int64_t> shape = {1};
  const auto tensor = DecodeTensor({"FP64", shape, &source, nullptr}, &charge_);
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->data<double>()[0], 2.5);
}

TEST_F(TensorCodec, WritesNumbersAndStringsBack) {
  const std::string numbers = Bytes<int16_t>({1, -2, 3});
  std::string raw;
  ASSERT_TRUE(EncodeTensor(*Decode("INT16", {3}, numbers), &raw).ok());
  EXPECT_EQ(raw, numbers);
  const std::string strings = BytesElement("") + BytesElement(std::string("a\0b", 3));
  const Tensor text = *Decode("BYTES", {2}, strings);
  ASSERT_TRUE(EncodeTensor(text, &raw).ok());
  EXPECT_EQ(raw, strings);
  EXPECT_EQ(EncodedBytes(text), static_cast<int64_t>(strings.size()));
  ASSERT_TRUE(EncodeTensor(*Decode("FP32", {0}, ""), &raw).ok());
  EXPECT_EQ(raw, "");
}

TEST_F(TensorCodec, RefusesToWriteWhatTheProtocolLacks) {
  std::string raw;
  const Tensor complex = Tensor::Allocate(DType::kComplex64, {1}).value();
  EXPECT_TRUE(absl::IsUnimplemented(EncodeTensor(complex, &raw)));
  EXPECT_TRUE(absl::IsUnimplemented(EncodeTensor(Tensor::Sequence({}), &raw)));
}

}  // namespace
}  // namespace inferd
