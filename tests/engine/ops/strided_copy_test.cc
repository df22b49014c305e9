#include "engine/ops/strided_copy.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(StridedCopy, CopiesContiguousRunsBackwardsAndRepeated) {
  const Tensor from = Values<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  Tensor to = Tensor::Allocate(DType::kInt32, {2, 3}).value();
  CopyStrided({2, 3}, from, {5, {-3, -1}}, &to, WholeBlock(to.shape()));
  EXPECT_TRUE(TensorsAgree(Values<int32_t>({2, 3}, {6, 5, 4, 3, 2, 1}), to, 0, 0));
  CopyStrided({2, 3}, from, {0, {0, 1}}, &to, WholeBlock(to.shape()));
  EXPECT_TRUE(TensorsAgree(Values<int32_t>({2, 3}, {1, 2, 3, 1, 2, 3}), to, 0, 0));
}

TEST(StridedCopy, CopiesScalarsAndNothing) {
  const Tensor from = Values<double>({}, {4});
  Tensor to = Tensor::Allocate(DType::kFloat64, {}).value();
  CopyStrided({}, from, {}, &to, {});
  EXPECT_EQ(*to.data<double>(), 4);
  CopyStrided({0, 5}, from, {0, {5, 1}}, &to, {0, {5, 1}});
}

TEST(StridedCopy, TransposesEveryElementSize) {
  for (int code = 1; IsKnownDType(code); ++code) {
    const auto dtype = static_cast<DType>(code);
    if (dtype == DType::kComplex64 || dtype == DType::kComplex128) continue;
    CheckOpCase({.name = std::string(DTypeName(dtype)),
                 .op = "Transpose",
                 .inputs = {ValuesAs(dtype, {2, 3}, {1, 0.5, 1, 1, 1, 0.5})},
                 .outputs = {ValuesAs(dtype, {3, 2}, {1, 1, 0.5, 1, 1, 0.5})}});
  }
}

TEST(StridedCopy, PermutesManyAxes) {
  CheckOpCase({.op = "Transpose",
               .inputs = {Values<uint8_t>({1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7})},
               .outputs = {Values<uint8_t>({1, 2, 2, 2}, {0, 4, 1, 5, 2, 6, 3, 7})},
               .attributes = MakeAttributes({{"perm", std::vector<int64_t>{0, 2, 3, 1}}})});
  ExpectOpError({.op = "Transpose",
                 .inputs = {Values<uint8_t>({1, 1}, {0})},
                 .outputs = {Values<uint8_t>({1, 1}, {0})},
                 .attributes = MakeAttributes({{"perm", std::vector<int64_t>{0, 0}}})},
                "given twice");
}

TEST(StridedCopy, RepeatsInExpandAndTile) {
  CheckOpCases({{.op = "Expand",
                 .inputs = {Values<float>({2, 1}, {1, 2}), Values<int64_t>({3}, {2, 1, 2})},
                 .outputs = {Values<float>({2, 2, 2}, {1, 1, 2, 2, 1, 1, 2, 2})}},
                {.op = "Tile",
                 .inputs = {Values<std::string>({2}, {"a", "b"}), Values<int64_t>({1}, {2})},
                 .outputs = {Values<std::string>({4}, {"a", "b", "a", "b"})}}});
  ExpectOpError({.op = "Tile",
                 .inputs = {Values<float>({2}, {1, 2}), Values<int64_t>({1}, {int64_t{1} << 62})},
                 .outputs = {Values<float>({2}, {1, 2})}},
                "");
}

TEST(StridedCopy, MovesBlocksBetweenDepthAndSpace) {
  const Tensor deep = Values<int8_t>({1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7});
  const auto mode = [](const char* name) {
    return MakeAttributes({{"blocksize", int64_t{2}}, {"mode", std::string(name)}});
  };
  const Tensor interleaved = Values<int8_t>({1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7});
  const Tensor grouped = Values<int8_t>({1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  CheckOpCases(
      {{.op = "DepthToSpace",
        .inputs = {deep},
        .outputs = {interleaved},
        .attributes = mode("DCR")},
       {.op = "DepthToSpace", .inputs = {deep}, .outputs = {grouped}, .attributes = mode("CRD")},
       {.op = "SpaceToDepth",
        .inputs = {interleaved},
        .outputs = {deep},
        .attributes = mode("DCR")},
       {.op = "SpaceToDepth", .inputs = {grouped}, .outputs = {deep}, .attributes = mode("CRD")}});
}

}  // namespace
}  // namespace inferd::testing
