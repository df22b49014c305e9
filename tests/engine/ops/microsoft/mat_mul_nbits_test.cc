#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "MatMulNBits",
          .op = "MatMulNBits",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

using Bytes = std::vector<uint8_t>;

// Row n has the weights n, n + 1, ... mod 2^bits in two blocks of 16.
Tensor Packed(int64_t bits) {
  const int64_t per_byte = 8 / bits;
  Bytes bytes(2 * 32 / per_byte, 0);
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t k = 0; k < 32; ++k) {
      const int64_t weight = (n + k) % (int64_t{1} << bits);
      bytes[(n * 32 + k) / per_byte] |= static_cast<uint8_t>(weight << (k % per_byte * bits));
    }
  }
  return Tensor::FromValues<uint8_t>({2, 2, 16 / per_byte}, absl::MakeConstSpan(bytes));
}

// Picks columns 1 and 17 of the weights.
Tensor Picks() {
  std::vector<float> values(2 * 32, 0.0f);
  values[1] = values[32 + 17] = 1;
  return Tensor::FromValues<float>({2, 32}, absl::MakeConstSpan(values));
}

std::vector<std::pair<std::string, Attributes::Value>> Sizes(int64_t bits) {
  return {{"K", int64_t{32}}, {"N", int64_t{2}}, {"bits", bits}, {"block_size", int64_t{16}}};
}

const Tensor kScales = Values<float>({2, 2}, {1, 2, 10, 20});

TEST(MatMulNBits, UnpacksWeightsOfEveryWidth) {
  CheckOpCases(
      {Case({Picks(), Packed(8), kScales}, Values<float>({2, 2}, {-127, -1260, -222, -2200}),
            Sizes(8)),
       Case({Picks(), Packed(4), kScales}, Values<float>({2, 2}, {-7, -60, -14, -120}), Sizes(4)),
       Case({Picks(), Packed(2), kScales}, Values<float>({2, 2}, {-1, 0, -2, 0}), Sizes(2))});
}

TEST(MatMulNBits, TakesZeroPointsPackedOrReal) {
  const Tensor packed = Values<uint8_t>({2, 1}, {0x21, 0x43});
  const Tensor real = Values<float>({2, 2}, {0.5f, 0, 0, 0});
  CheckOpCases({Case({Picks(), Packed(4), kScales, packed},
                     Values<float>({2, 2}, {0, -10, -2, -40}), Sizes(4)),
                Case({Picks(), Packed(4), kScales, real}, Values<float>({2, 2}, {0.5f, 20, 2, 40}),
                     Sizes(4))});
}

TEST(MatMulNBits, TakesGroupsAndABias) {
  std::vector<int32_t> groups(32, 0);
  groups[1] = 1;
  const Tensor order = Tensor::FromValues<int32_t>({32}, absl::MakeConstSpan(groups));
  CheckOpCase(Case({Picks(), Packed(4), kScales, std::nullopt, order, Values<float>({2}, {100, 0})},
                   Values<float>({2, 2}, {86, -120, 93, -60}), Sizes(4)));
  groups[5] = 2;
  ExpectOpError(Case({Picks(), Packed(4), kScales, std::nullopt,
                      Tensor::FromValues<int32_t>({32}, absl::MakeConstSpan(groups))},
                     kScales, Sizes(4)),
                "g_idx has 2");
}

TEST(MatMulNBits, GivesTheBiasForOmittedWeights) {
  CheckOpCase(Case({Picks(), Values<uint8_t>({2, 0, 8}, {}), Values<float>({0}, {}), std::nullopt,
                    std::nullopt, Values<float>({2}, {1, 2})},
                   Values<float>({2, 2}, {1, 2, 1, 2}), Sizes(4)));
}

TEST(MatMulNBits, RefusesSizesThatDoNotAgree) {
  ExpectOpError(Case({Picks(), Packed(8), kScales}, std::nullopt, Sizes(4)), "B has shape");
  ExpectOpError(Case({Picks(), Packed(4), Values<float>({1}, {1})}, std::nullopt, Sizes(4)),
                "scales has shape");
  ExpectOpError(Case({Picks(), Packed(4), kScales}, std::nullopt, Sizes(3)), "bits is 3");
  auto sizes = Sizes(4);
  sizes[0].second = int64_t{1} << 40;
  ExpectOpError(Case({Picks(), Packed(4), kScales}, std::nullopt, sizes), "N and K");
  sizes = Sizes(4);
  sizes[3].second = int64_t{24};
  ExpectOpError(Case({Picks(), Packed(4), kScales}, std::nullopt, sizes), "block_size is 24");
}

}  // namespace
}  // namespace inferd::testing
