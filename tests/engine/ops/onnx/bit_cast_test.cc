#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Bits(const Tensor& x, const Tensor& y, std::optional<DType> to = std::nullopt) {
  return {.name = "BitCast",
          .op = "BitCast",
          .inputs = {x},
          .outputs = {y},
          .attributes = MakeAttributes({{"to", static_cast<int64_t>(to.value_or(y.dtype()))}})};
}

Tensor Raw(DType dtype, std::initializer_list<uint8_t> bytes) {
  Tensor tensor = Tensor::Allocate(dtype, {static_cast<int64_t>(bytes.size())}).value();
  std::copy(bytes.begin(), bytes.end(), tensor.mutable_data<uint8_t>());
  return tensor;
}

TEST(BitCast, KeepsTheBits) {
  CheckOpCases({Bits(Values<float>({1}, {1}), Values<int32_t>({1}, {0x3f800000})),
                Bits(Values<uint64_t>({1}, {0x3ff0000000000000}), Values<double>({1}, {1})),
                Bits(Values<bool>({2}, {true, false}), Values<int8_t>({2}, {1, 0})),
                Bits(Values<uint8_t>({2}, {2, 0}), Values<bool>({2}, {true, false}))});
}

TEST(BitCast, SpreadsTheSignOfNarrowTypes) {
  CheckOpCases({Bits(Raw(DType::kUint4, {15, 7}), Raw(DType::kInt4, {0xff, 7})),
                Bits(Raw(DType::kInt4, {0xff, 7}), Raw(DType::kUint4, {15, 7})),
                Bits(Raw(DType::kUint2, {3, 1}), Raw(DType::kInt2, {0xff, 1})),
                Bits(Raw(DType::kInt4, {0xfa}), Raw(DType::kFloat4E2m1, {0x0a}))});
}

TEST(BitCast, RefusesOtherSizesAndText) {
  const Tensor x = Values<float>({1}, {1});
  ExpectOpError(Bits(x, x, DType::kInt64), "do not have the size of float32");
  ExpectOpError(Bits(x, x, DType::kString), "do not have the size of float32");
  ExpectOpError(Bits(Values<std::string>({1}, {"a"}), x, DType::kComplex128), "size of string");
}

TEST(BitCast, RefusesASequence) {
  ExpectOpError({.op = "BitCast",
                 .inputs = {Tensor::Sequence({Values<float>({1}, {1})})},
                 .outputs = {Values<int32_t>({1}, {1})},
                 .attributes = MakeAttributes({{"to", int64_t{6}}})},
                "expected a tensor");
}

}  // namespace
}  // namespace inferd::testing
