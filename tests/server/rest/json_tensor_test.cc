#include "server/rest/json_tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kMax = 1 << 20;

class JsonTensorTest : public ::testing::Test {
 protected:
  absl::Status Decode(const std::string& data, DType dtype, const std::vector<int64_t>& shape,
                      std::string* raw) {
    text_ = absl::StrCat("{\"data\":", data, "}");
    const auto json = ParseJson(text_, {}, [](int, absl::string_view) { return true; });
    EXPECT_TRUE(json.ok()) << json.status();
    if (!json.ok()) return json.status();
    return DecodeJsonData(*json->Find("data").value(), dtype, shape, &charge_, raw);
  }
  template <typename T>
  std::vector<T> Values(const std::string& data, DType dtype, const std::vector<int64_t>& shape) {
    std::string raw;
    const absl::Status status = Decode(data, dtype, shape, &raw);
    EXPECT_TRUE(status.ok()) << status << " for " << data;
    std::vector<T> values(raw.size() / sizeof(T));
    if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }
  std::string ErrorOf(const std::string& data, DType dtype, const std::vector<int64_t>& shape) {
    std::string raw;
    const absl::Status status = Decode(data, dtype, shape, &raw);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status << " for " << data;
    return std::string(status.message());
  }
  template <typename T>
  std::string Encode(const std::vector<T>& values, DType dtype) {
    std::string raw(values.size() * sizeof(T), '\0');
    if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
    std::string out;
    const absl::Status status = EncodeJsonData(raw, dtype, kMax, &out);
    EXPECT_TRUE(status.ok()) << status;
    return out;
  }

  InflightBytes inflight_{kMax};
  InflightCharge charge_{&inflight_};
  std::string text_;
};

TEST_F(JsonTensorTest, DataMayBeFlatOrNested) {
  for (const char* data : {"[1,2,3,4]", "[[1,2],[3,4]]", " [ [1 , 2] , [ 3,4 ] ] "}) {
    EXPECT_THAT(Values<int32_t>(data, DType::kInt32, {2, 2}), ElementsAre(1, 2, 3, 4)) << data;
  }
  EXPECT_THAT(Values<int32_t>("[[[1]],[[2]]]", DType::kInt32, {2, 1, 1}), ElementsAre(1, 2));
  EXPECT_THAT(Values<int32_t>("5", DType::kInt32, {}), ElementsAre(5));
  EXPECT_THAT(Values<int32_t>("[5]", DType::kInt32, {}), ElementsAre(5));
}

TEST_F(JsonTensorTest, ThereMayBeNoElements) {
  EXPECT_THAT(Values<float>("[]", DType::kFloat32, {0}), ElementsAre());
  EXPECT_THAT(Values<float>("[]", DType::kFloat32, {2, 0}), ElementsAre());
  EXPECT_THAT(Values<float>("[[],[]]", DType::kFloat32, {2, 0}), ElementsAre());
  EXPECT_THAT(Values<float>("[]", DType::kFloat32, {0, 3}), ElementsAre());
}

TEST_F(JsonTensorTest, OtherCountsAndRaggedArraysAreErrors) {
  EXPECT_THAT(ErrorOf("[1,2,3]", DType::kInt32, {2, 2}), HasSubstr("expected 4 elements"));
  EXPECT_THAT(ErrorOf("[1,2,3,4,5]", DType::kInt32, {2, 2}), HasSubstr("got more"));
  EXPECT_THAT(ErrorOf("[[1,2],[3]]", DType::kInt32, {2, 2}), HasSubstr("dimension 1"));
  EXPECT_THAT(ErrorOf("[[1,2]]", DType::kInt32, {2, 2}), HasSubstr("dimension 0"));
  EXPECT_THAT(ErrorOf("[[1,2],3,4]", DType::kInt32, {2, 2}), HasSubstr("has an array"));
  EXPECT_THAT(ErrorOf("[1,2,[3,4]]", DType::kInt32, {2, 2}), HasSubstr("mixed"));
  EXPECT_THAT(ErrorOf("[[[1]]]", DType::kInt32, {1, 1}), HasSubstr("deeper"));
  EXPECT_THAT(ErrorOf("[[1]]", DType::kInt32, {1}), HasSubstr("deeper"));
  EXPECT_THAT(ErrorOf("[[1,2],[3,4],[5,6]]", DType::kInt32, {2, 2}), HasSubstr("got more"));
  EXPECT_THAT(ErrorOf("[[],[]]", DType::kInt32, {0, 0}), HasSubstr("dimension 0"));
  EXPECT_THAT(ErrorOf("5", DType::kInt32, {1}), HasSubstr("expected an array, got a number"));
  EXPECT_THAT(ErrorOf("{}", DType::kInt32, {1}), HasSubstr("expected an array, got an object"));
}

TEST_F(JsonTensorTest, ElementsMustBeOfTheType) {
  EXPECT_THAT(ErrorOf("[1,true]", DType::kInt32, {2}),
              HasSubstr("element 1: expected INT32, got true"));
  EXPECT_THAT(ErrorOf("[\"1\"]", DType::kInt32, {1}), HasSubstr("got the string '1'"));
  EXPECT_THAT(ErrorOf("[1.5]", DType::kInt32, {1}), HasSubstr("got 1.5"));
  EXPECT_THAT(ErrorOf("[1e2]", DType::kInt32, {1}), HasSubstr("got 1e2"));
  EXPECT_THAT(ErrorOf("[null]", DType::kFloat32, {1}), HasSubstr("got null"));
  EXPECT_THAT(ErrorOf("[{}]", DType::kFloat32, {1}), HasSubstr("expected an array of elements"));
  EXPECT_THAT(ErrorOf("[1]", DType::kBool, {1}), HasSubstr("expected BOOL, got 1"));
  EXPECT_THAT(ErrorOf("[1]", DType::kString, {1}), HasSubstr("expected BYTES, got 1"));
  EXPECT_THAT(ErrorOf("[NaN]", DType::kInt64, {1}), HasSubstr("got NaN"));
}

TEST_F(JsonTensorTest, IntegersOutOfRangeAreErrors) {
  EXPECT_THAT(Values<int8_t>("[-128,127]", DType::kInt8, {2}), ElementsAre(-128, 127));
  EXPECT_THAT(Values<uint64_t>("[18446744073709551615]", DType::kUint64, {1}),
              ElementsAre(UINT64_MAX));
  EXPECT_THAT(Values<int64_t>("[-9223372036854775808]", DType::kInt64, {1}),
              ElementsAre(INT64_MIN));
  const std::pair<const char*, DType> wrong[] = {{"[128]", DType::kInt8},
                                                 {"[-129]", DType::kInt8},
                                                 {"[256]", DType::kUint8},
                                                 {"[-1]", DType::kUint8},
                                                 {"[32768]", DType::kInt16},
                                                 {"[65536]", DType::kUint16},
                                                 {"[2147483648]", DType::kInt32},
                                                 {"[4294967296]", DType::kUint32},
                                                 {"[9223372036854775808]", DType::kInt64},
                                                 {"[18446744073709551616]", DType::kUint64}};
  for (const auto& [data, dtype] : wrong) {
    EXPECT_THAT(ErrorOf(data, dtype, {1}), HasSubstr("element 0: expected")) << data;
  }
}

TEST_F(JsonTensorTest, FloatsAreReadExactly) {
  EXPECT_THAT(Values<float>("[0.1,-0,1e-50,16777217]", DType::kFloat32, {4}),
              ElementsAre(0.1f, -0.0f, 0.0f, 16777216.0f));
  EXPECT_THAT(Values<double>("[0.1,1.7976931348623157e308,5e-324]", DType::kFloat64, {3}),
              ElementsAre(0.1, std::numeric_limits<double>::max(), 5e-324));
  EXPECT_THAT(ErrorOf("[1e39]", DType::kFloat32, {1}), HasSubstr("expected FP32, got 1e39"));
  const auto odd = Values<float>("[NaN,Infinity,-Infinity]", DType::kFloat32, {3});
  EXPECT_TRUE(std::isnan(odd[0]));
  EXPECT_EQ(odd[1], std::numeric_limits<float>::infinity());
  EXPECT_EQ(odd[2], -std::numeric_limits<float>::infinity());
}

TEST_F(JsonTensorTest, TextBecomesLengthsAndBytes) {
  std::string raw;
  ASSERT_TRUE(Decode("[[\"a\"],[\"\\u00fc\\u0000\"]]", DType::kString, {2, 1}, &raw).ok());
  EXPECT_EQ(raw, std::string("\1\0\0\0a\3\0\0\0\xc3\xbc\0", 12));
}

TEST_F(JsonTensorTest, HalfFloatsHaveNoJsonForm) {
  EXPECT_THAT(ErrorOf("[1]", DType::kFloat16, {1}), HasSubstr("binary"));
  EXPECT_THAT(ErrorOf("[1]", DType::kBfloat16, {1}), HasSubstr("binary"));
  std::string out;
  EXPECT_TRUE(absl::IsInvalidArgument(EncodeJsonData("ab", DType::kFloat16, kMax, &out)));
}

TEST_F(JsonTensorTest, AShapeTakesNoMemoryBeforeItsElementsCome) {
  EXPECT_THAT(ErrorOf("[1,2]", DType::kFloat64, {int64_t{1} << 40}), HasSubstr("got 2"));
  EXPECT_LT(charge_.bytes(), 100);
}

TEST_F(JsonTensorTest, MemoryIsAskedForBeforeItIsTaken) {
  InflightBytes small(10);
  InflightCharge charge(&small);
  const auto json =
      ParseJson("{\"data\":[1,2,3]}", {}, [](int, absl::string_view) { return true; });
  std::string raw;
  EXPECT_TRUE(absl::IsResourceExhausted(
      DecodeJsonData(*json->Find("data").value(), DType::kInt64, {3}, &charge, &raw)));
}

TEST_F(JsonTensorTest, ElementsAreWrittenSoThatTheyComeBack) {
  EXPECT_EQ(Encode<int8_t>({-128, 0, 127}, DType::kInt8), "[-128,0,127]");
  EXPECT_EQ(Encode<uint64_t>({UINT64_MAX}, DType::kUint64), "[18446744073709551615]");
  EXPECT_EQ(Encode<char>({0, 1}, DType::kBool), "[false,true]");
  EXPECT_EQ(Encode<float>({0.1f, 1, -0.0f, 1e20f}, DType::kFloat32), "[0.1,1.0,-0.0,1e+20]");
  EXPECT_EQ(Encode<double>({0.1, 1.0 / 3}, DType::kFloat64), "[0.1,0.3333333333333333]");
  EXPECT_EQ(Encode<float>({NAN, INFINITY, -INFINITY}, DType::kFloat32), "[NaN,Infinity,-Infinity]");
  EXPECT_EQ(Encode<float>({}, DType::kFloat32), "[]");
}

TEST_F(JsonTensorTest, TextIsWrittenWhereItIsUtf8) {
  std::string out;
  ASSERT_TRUE(EncodeJsonData(std::string("\1\0\0\0a\0\0\0\0\3\0\0\0\xc3\xbc\"", 16), DType::kString,
                             kMax, &out)
                  .ok());
  EXPECT_EQ(out, "[\"a\",\"\",\"\xc3\xbc\\\"\"]");
  out.clear();
  const absl::Status status =
      EncodeJsonData(std::string("\1\0\0\0\xff", 5), DType::kString, kMax, &out);
  EXPECT_THAT(std::string(status.message()), HasSubstr("element 0 is no UTF-8"));
}

TEST_F(JsonTensorTest, WhatIsWrittenIsBounded) {
  std::string out;
  EXPECT_TRUE(
      absl::IsResourceExhausted(EncodeJsonData(std::string(1000, '\1'), DType::kInt8, 100, &out)));
  EXPECT_LT(out.size(), 200u);
}

}  // namespace
}  // namespace inferd
