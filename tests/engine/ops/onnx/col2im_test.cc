#include <complex>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Image(const Tensor& x, std::initializer_list<int64_t> image,
             std::initializer_list<int64_t> block, const Tensor& y, Pairs attributes = {}) {
  return {.name = "Col2Im",
          .op = "Col2Im",
          .inputs = {x, Values<int64_t>({static_cast<int64_t>(image.size())}, image),
                     Values<int64_t>({static_cast<int64_t>(block.size())}, block)},
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

TEST(Col2Im, AddsBlocksWhereTheyOverlap) {
  // Blocks of two over an image of three: columns are taps, positions are blocks.
  CheckOpCases(
      {Image(Values<float>({1, 2, 2}, {1, 2, 3, 4}), {3}, {2}, Values<float>({1, 1, 3}, {1, 5, 4})),
       Image(Values<int8_t>({1, 2, 2}, {1, 2, 3, 4}), {2}, {2}, Values<int8_t>({1, 1, 2}, {5, 4}),
             {{"pads", Ints{1, 0}}}),
       Image(Values<float>({1, 4, 1}, {1, 2, 3, 4}), {2, 2}, {2, 2},
             Values<float>({1, 1, 2, 2}, {1, 2, 3, 4})),
       Image(Values<float>({1, 2, 2}, {1, 2, 3, 4}), {4}, {2},
             Values<float>({1, 1, 4}, {1, 2, 3, 4}), {{"dilations", Ints{2}}})});
}

TEST(Col2Im, JoinsTextAndOrsTruth) {
  using Complex = std::complex<float>;
  CheckOpCases({Image(Values<std::string>({1, 2, 2}, {"a", "b", "c", "d"}), {3}, {2},
                      Values<std::string>({1, 1, 3}, {"a", "bc", "d"})),
                Image(Values<bool>({1, 2, 2}, {false, true, false, false}), {3}, {2},
                      Values<bool>({1, 1, 3}, {false, true, false})),
                Image(Values<Complex>({1, 2, 2}, {{1, 1}, {2, 0}, {0, 3}, {4, 0}}), {3}, {2},
                      Values<Complex>({1, 1, 3}, {{1, 1}, {2, 3}, {4, 0}}))});
}

TEST(Col2Im, RefusesColumnsThatDoNotFitTheImage) {
  const Tensor x = Values<float>({1, 2, 2}, {1, 2, 3, 4});
  ExpectOpError(Image(x, {4}, {2}, x), "expected [N,C*2,3]");
  ExpectOpError(Image(x, {3}, {3}, x), "expected [N,C*3,1]");
  ExpectOpError(Image(x, {3}, {4}, x), "does not fit");
  ExpectOpError(Image(x, {3, 1}, {2}, x), "block_shape has 1 values");
  ExpectOpError(Image(x, {-3}, {2}, x), "image_shape has -3");
  ExpectOpError(Image(x, {3}, {0}, x), "dimension 0");
}

}  // namespace
}  // namespace inferd::testing
