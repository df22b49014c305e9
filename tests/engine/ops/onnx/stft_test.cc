#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Frames(const Tensor& signal, int64_t step, std::optional<Tensor> window,
              std::optional<int64_t> length, const Tensor& y, int64_t onesided = 1) {
  OpCase op_case{.name = "STFT",
                 .op = "STFT",
                 .inputs = {signal, Values<int64_t>({}, {step}), std::move(window), std::nullopt},
                 .outputs = {y},
                 .attributes = MakeAttributes({{"onesided", onesided}}),
                 .absolute_tolerance = 1e-6};
  if (length) op_case.inputs[3] = Values<int64_t>({}, {*length});
  return op_case;
}

const Tensor Signal() { return Values<float>({1, 5, 1}, {1, 2, 3, 4, 5}); }

TEST(Stft, TransformsOverlappingFrames) {
  CheckOpCases(
      {Frames(Signal(), 2, {}, 2, Values<float>({1, 2, 2, 2}, {3, 0, -1, 0, 7, 0, -1, 0})),
       Frames(Signal(), 3, Values<float>({2}, {1, 10}), {},
              Values<float>({1, 2, 2, 2}, {21, 0, -19, 0, 54, 0, -46, 0})),
       Frames(Signal(), 1, {}, {},
              Values<float>({1, 1, 3, 2}, {15, 0, -2.5f, 3.4409548f, -2.5f, 0.8122992f}))});
}

TEST(Stft, TransformsComplexSignalsOnBothSides) {
  const Tensor complex = Values<float>({1, 2, 2}, {1, 2, 3, 4});
  CheckOpCase(Frames(complex, 1, {}, 2, Values<float>({1, 1, 2, 2}, {4, 6, -2, -2}), 0));
  ExpectOpError(Frames(complex, 1, {}, 2, complex), "must be 0");
}

TEST(Stft, RefusesFramesThatDoNotFit) {
  ExpectOpError(Frames(Signal(), 1, {}, 6, Signal()), "longer than the signal of 5");
  ExpectOpError(Frames(Signal(), 0, {}, 2, Signal()), "frame_step is 0");
  ExpectOpError(Frames(Signal(), 1, {}, 0, Signal()), "frame_length is 0");
  ExpectOpError(Frames(Signal(), 1, Values<float>({2}, {1, 1}), 3, Signal()),
                "window has length 2");
  ExpectOpError(Frames(Values<float>({5}, {1, 2, 3, 4, 5}), 1, {}, 2, Signal()),
                "expected [batch,length,1 or 2]");
}

}  // namespace
}  // namespace inferd::testing
