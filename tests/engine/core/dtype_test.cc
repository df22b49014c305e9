#include "engine/core/dtype.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

TEST(DType, EveryCodeOfTheFormatHasAnOwnNameAndASize) {
  std::set<std::string> names;
  for (int code = 1; code <= 26; ++code) {
    ASSERT_TRUE(IsKnownDType(code)) << code;
    const auto dtype = static_cast<DType>(code);
    EXPECT_TRUE(names.insert(std::string(DTypeName(dtype))).second) << DTypeName(dtype);
    EXPECT_GT(ElementBytes(dtype), 0) << DTypeName(dtype);
  }
  for (int code : {-1, 0, 27, 255, 1 << 20}) EXPECT_FALSE(IsKnownDType(code)) << code;
  EXPECT_EQ(ElementBytes(DType::kInvalid), 0);
}

TEST(DType, SubByteTypesTakeAByteInMemoryAndTheirBitsInAFile) {
  EXPECT_EQ(ElementBytes(DType::kInt4), 1);
  EXPECT_EQ(PackedBits(DType::kInt4), 4);
  EXPECT_EQ(PackedBits(DType::kFloat4E2m1), 4);
  EXPECT_EQ(PackedBits(DType::kUint2), 2);
  EXPECT_EQ(PackedBits(DType::kFloat16), 16);
  EXPECT_EQ(PackedBits(DType::kComplex128), 128);
}

TEST(DType, SizesAreThoseOfTheCppTypes) {
  EXPECT_EQ(ElementBytes(DTypeOf<bool>()), 1);
  EXPECT_EQ(ElementBytes(DTypeOf<std::string>()), static_cast<int64_t>(sizeof(std::string)));
  EXPECT_EQ(ElementBytes(DTypeOf<std::complex<float>>()), 8);
  EXPECT_EQ(DTypeOf<char*>(), DType::kInvalid);
}

TEST(DType, KindsLeaveOutBooleansAndSubByteTypes) {
  EXPECT_TRUE(IsInteger(DType::kUint64));
  EXPECT_FALSE(IsInteger(DType::kBool));
  EXPECT_FALSE(IsInteger(DType::kInt4));
  EXPECT_TRUE(IsFloatingPoint(DType::kBfloat16));
  EXPECT_FALSE(IsFloatingPoint(DType::kFloat8E5m2));
}

TEST(DType, DispatchCallsTheMatchingTypeOnlyAndReturnsItsStatus) {
  int calls = 0;
  const absl::Status status = DispatchNumeric(DType::kInt16, [&](auto tag) {
    using T = typename decltype(tag)::type;
    ++calls;
    EXPECT_TRUE((std::is_same_v<T, int16_t>));
    return absl::InternalError("from the kernel");
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(status.message(), "from the kernel");
}

TEST(DType, DispatchNamesATypeThatIsNotInTheSet) {
  const absl::Status status = DispatchFloat(DType::kString, [](auto) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("string"));
}

}  // namespace
}  // namespace inferd
