#include "engine/ops/cosine_window.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase WindowOf(const std::string& op, int64_t size, int64_t periodic, const Tensor& y,
                DType dtype = DType::kFloat32) {
  return {.name = op,
          .op = op,
          .inputs = {Values<int64_t>({}, {size})},
          .outputs = {y},
          .attributes = MakeAttributes(
              {{"periodic", periodic}, {"output_datatype", static_cast<int64_t>(dtype)}}),
          .absolute_tolerance = 1e-6};
}

TEST(CosineWindows, AreSymmetricOrPeriodic) {
  CheckOpCases({WindowOf("HannWindow", 4, 1, Values<float>({4}, {0, 0.5, 1, 0.5})),
                WindowOf("HannWindow", 3, 0, Values<float>({3}, {0, 1, 0})),
                WindowOf("HammingWindow", 2, 1, Values<float>({2}, {4.0f / 46, 1})),
                WindowOf("BlackmanWindow", 3, 0, Values<double>({3}, {0, 1, 0}), DType::kFloat64),
                WindowOf("HannWindow", 3, 0, Values<uint8_t>({3}, {0, 1, 0}), DType::kUint8),
                WindowOf("HannWindow", 0, 1, Values<float>({0}, {})),
                WindowOf("HannWindow", 1, 0, Values<float>({1}, {1}))});
}

TEST(CosineWindows, RefuseSizesAndTypesTheyCannotHave) {
  const Tensor y = Values<float>({0}, {});
  ExpectOpError(WindowOf("HannWindow", -1, 1, y), "size is -1");
  ExpectOpError(WindowOf("HannWindow", int64_t{1} << 40, 1, y), "limit");
  ExpectOpError(WindowOf("HannWindow", 1, 1, y, DType::kString), "output_datatype is string");
}

}  // namespace
}  // namespace inferd::testing
