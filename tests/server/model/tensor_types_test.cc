#include "server/model/tensor_types.h"

#include <gtest/gtest.h>

namespace inferd {
namespace {

TEST(TensorTypes, GoThereAndBack) {
  int carried = 0;
  for (int code = 1; code < 27; ++code) {
    const DType dtype = static_cast<DType>(code);
    if (ProtocolTypeName(dtype).empty()) continue;
    ++carried;
    EXPECT_EQ(DTypeOfProtocolName(ProtocolTypeName(dtype)), dtype);
    EXPECT_EQ(DTypeOfConfig(ConfigDataType(dtype)), dtype);
  }
  EXPECT_EQ(carried, 14);
}

TEST(TensorTypes, KnowNoOthers) {
  EXPECT_EQ(DTypeOfProtocolName("fp32"), DType::kInvalid);
  EXPECT_EQ(DTypeOfProtocolName(""), DType::kInvalid);
  EXPECT_EQ(ConfigDataType(DType::kComplex64), inference::TYPE_INVALID);
}

}  // namespace
}  // namespace inferd
