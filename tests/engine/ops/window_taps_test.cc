#include "engine/ops/window_taps.h"

#include <map>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;

// Every (tap, output) pair with the input it reads, by definition.
std::map<std::pair<int64_t, int64_t>, int64_t> ByDefinition(const Window& window) {
  std::map<std::pair<int64_t, int64_t>, int64_t> pairs;
  for (int64_t o = 0; o < window.output[0] * window.output[1]; ++o) {
    for (int64_t t = 0; t < window.kernel[0] * window.kernel[1]; ++t) {
      const int64_t row = o / window.output[1] * window.strides[0] +
                          t / window.kernel[1] * window.dilations[0] - window.pads_begin[0];
      const int64_t column = o % window.output[1] * window.strides[1] +
                             t % window.kernel[1] * window.dilations[1] - window.pads_begin[1];
      if (row < 0 || row >= window.input[0] || column < 0 || column >= window.input[1]) continue;
      pairs[{t, o}] = row * window.input[1] + column;
    }
  }
  return pairs;
}

TEST(WindowTaps, ReachesExactlyThePairsInsideTheInput) {
  for (int64_t stride : {1, 2, 3}) {
    for (int64_t dilation : {1, 2}) {
      for (int64_t pad : {0, 1, 4}) {
        const auto window = ResolveWindow(MakeAttributes({{"strides", Ints{stride, 1}},
                                                          {"dilations", Ints{1, dilation}},
                                                          {"pads", Ints{pad, 0, 1, pad}}}),
                                          {Dim(5), Dim(7)}, {Dim(3), Dim(2)});
        ASSERT_TRUE(window.ok()) << window.status();
        std::map<std::pair<int64_t, int64_t>, int64_t> found;
        TapWalk walk(*window);
        for (Tap tap; walk.Next(&tap);) {
          ForEachRow(*window, tap, [&](int64_t from, int64_t to, int64_t count) {
            for (int64_t j = 0; j < count; ++j) {
              found[{tap.index, to + j}] = from + j * window->strides[1];
            }
          });
        }
        EXPECT_EQ(found, ByDefinition(*window)) << stride << " " << dilation << " " << pad;
      }
    }
  }
}

TEST(WindowTaps, SkipsTapsOfAHugeKernelThatMeetOnlyPadding) {
  const auto window =
      ResolveWindow(MakeAttributes({{"kernel_shape", Ints{int64_t{1} << 30}},
                                    {"pads", Ints{int64_t{1} << 29, (int64_t{1} << 29) - 1}}}),
                    {Dim(1)}, {});
  ASSERT_TRUE(window.ok()) << window.status();
  TapWalk walk(*window);
  Tap tap;
  ASSERT_TRUE(walk.Next(&tap));
  EXPECT_EQ(tap.index, int64_t{1} << 29);
  EXPECT_FALSE(walk.Next(&tap));
}

}  // namespace
}  // namespace inferd::testing
