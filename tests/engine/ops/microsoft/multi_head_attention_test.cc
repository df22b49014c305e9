#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Inputs = std::vector<std::optional<Tensor>>;

OpCase MultiHead(Inputs inputs, std::vector<std::optional<Tensor>> outputs) {
  return {.name = "MultiHeadAttention",
          .op = "MultiHeadAttention",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes({{"num_heads", int64_t{2}}}),
          .absolute_tolerance = 1e-5,
          .domain = "com.microsoft"};
}

// Two heads of size 1: Q (1, 2), K (3, 4) and (5, 6), V (1, 2) and (3, 4).
const Tensor Query() { return Values<float>({1, 2, 2}, {1, 2, 1, 2}); }
const Tensor Key() { return Values<float>({1, 2, 2}, {3, 4, 5, 6}); }
const Tensor Value() { return Values<float>({1, 2, 2}, {1, 2, 3, 4}); }
const Tensor Y() { return Values<float>({1, 2, 2}, {2.761594f, 3.964028f, 2.761594f, 3.964028f}); }

TEST(MultiHeadAttention, TakesItsOperandsInEveryForm) {
  const Tensor packed = Values<float>({1, 2, 2, 3, 1}, {1, 3, 1, 2, 4, 2, 1, 5, 3, 2, 6, 4});
  const Tensor packed_keys = Values<float>({1, 2, 2, 2, 1}, {3, 1, 4, 2, 5, 3, 6, 4});
  const Tensor key_heads = Values<float>({1, 2, 2, 1}, {3, 5, 4, 6});
  const Tensor value_heads = Values<float>({1, 2, 2, 1}, {1, 3, 2, 4});
  CheckOpCases({MultiHead({Query(), Key(), Value()}, {Y()}), MultiHead({packed}, {Y()}),
                MultiHead({Query(), packed_keys}, {Y()}),
                MultiHead({Query(), key_heads, value_heads}, {Y()})});
}

TEST(MultiHeadAttention, AddsTheBiasToPackedOperandsToo) {
  const Tensor zeros = Values<float>({1, 2, 2}, {0, 0, 0, 0});
  const Tensor bias = Values<float>({6}, {0, 0, 0, 0, 10, 20});
  const Tensor mean = Values<float>({1, 2, 2}, {12, 23, 12, 23});
  const Tensor packed = Values<float>({1, 2, 2, 3, 1}, {0, 3, 1, 0, 4, 2, 0, 5, 3, 0, 6, 4});
  const Tensor packed_keys = Values<float>({1, 2, 2, 2, 1}, {3, 1, 4, 2, 5, 3, 6, 4});
  CheckOpCases({MultiHead({zeros, Key(), Value(), bias}, {mean}),
                MultiHead({packed, std::nullopt, std::nullopt, bias}, {mean}),
                MultiHead({zeros, packed_keys, std::nullopt, bias}, {mean})});
}

TEST(MultiHeadAttention, RefusesWhatDoesNotFit) {
  ExpectOpError(MultiHead({Query(), std::nullopt, Value()}, {Y()}), "value is given without key");
  ExpectOpError(MultiHead({Query(), Values<float>({1, 2, 3}, {0, 0, 0, 0, 0, 0}), Value()}, {Y()}),
                "the rows of key have 3 elements");
  ExpectOpError(MultiHead({Query(), Key(), Value(), Values<float>({5}, {0, 0, 0, 0, 0})}, {Y()}),
                "bias has shape [5], expected [6]");
  ExpectOpError(MultiHead({Query(), Key(), Value(), std::nullopt, std::nullopt, std::nullopt,
                           Values<float>({1, 2, 1, 1}, {0, 0})},
                          {Y()}),
                "must be given together");
}

}  // namespace
}  // namespace inferd::testing
