#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Transform(const Tensor& x, std::optional<int64_t> length, std::optional<int64_t> axis,
                 const Tensor& y, Pairs attributes = {}) {
  OpCase op_case{.name = "DFT",
                 .op = "DFT",
                 .inputs = {x, std::nullopt, std::nullopt},
                 .outputs = {y},
                 .attributes = MakeAttributes(std::move(attributes)),
                 .absolute_tolerance = 1e-6};
  if (length) op_case.inputs[1] = Values<int32_t>({}, {static_cast<int32_t>(*length)});
  if (axis) op_case.inputs[2] = Values<int64_t>({}, {*axis});
  return op_case;
}

const Tensor Ramp() { return Values<float>({1, 4, 1}, {0, 1, 2, 3}); }
const Pairs kOneSided = {{"onesided", int64_t{1}}};
const Pairs kInverse = {{"inverse", int64_t{1}}};
const Pairs kReal = {{"inverse", int64_t{1}}, {"onesided", int64_t{1}}};

TEST(Dft, TransformsRealAndComplexSignals) {
  CheckOpCases({Transform(Ramp(), {}, {}, Values<float>({1, 4, 2}, {6, 0, -2, 2, -2, 0, -2, -2})),
                Transform(Ramp(), {}, 1, Values<float>({1, 3, 2}, {6, 0, -2, 2, -2, 0}), kOneSided),
                Transform(Values<double>({2, 2}, {1, 2, 3, 4}), {}, 0,
                          Values<double>({2, 2}, {4, 6, -2, -2})),
                Transform(Values<float>({1, 4, 2}, {6, 0, -2, 2, -2, 0, -2, -2}), {}, {},
                          Values<float>({1, 4, 2}, {0, 0, 1, 0, 2, 0, 3, 0}), kInverse)});
}

TEST(Dft, PadsAndCutsToTheLength) {
  CheckOpCases({Transform(Ramp(), 2, {}, Values<float>({1, 2, 2}, {1, 0, -1, 0})),
                Transform(Values<float>({1, 1, 1}, {3}), 3, {},
                          Values<float>({1, 3, 2}, {3, 0, 3, 0, 3, 0}))});
}

TEST(Dft, WorksAlongAnyAxisButTheLast) {
  const Tensor x = Values<float>({2, 2, 1}, {1, 2, 3, 5});
  CheckOpCases({Transform(x, {}, 0, Values<float>({2, 2, 2}, {4, 0, 7, 0, -2, 0, -3, 0})),
                Transform(x, {}, -2, Values<float>({2, 2, 2}, {3, 0, -1, 0, 8, 0, -2, 0}))});
  ExpectOpError(Transform(x, {}, 2, x), "axis 2 is the last one");
  ExpectOpError(Transform(x, {}, -4, x), "axis -4 is outside");
}

TEST(Dft, MakesARealSignalFromHalfASpectrum) {
  const Tensor half = Values<float>({1, 3, 2}, {6, 0, -2, 2, -2, 0});
  CheckOpCase(Transform(half, {}, {}, Ramp(), kReal));
  CheckOpCase(Transform(Values<float>({1, 2, 2}, {6, 0, -1.5f, 0.8660254f}), 3, {},
                        Values<float>({1, 3, 1}, {1, 2, 3}), kReal));
}

TEST(Dft, RefusesSignalsAndLengthsThatMakeNoSense) {
  const Tensor complex = Values<float>({2, 2}, {1, 2, 3, 4});
  ExpectOpError(Transform(complex, {}, {}, complex, kOneSided), "takes real");
  ExpectOpError(Transform(Ramp(), {}, {}, Ramp(), kReal), "takes complex");
  ExpectOpError(Transform(Ramp(), 0, {}, Ramp()), "dft_length is 0");
  ExpectOpError(Transform(Ramp(), -3, {}, Ramp()), "dft_length is -3");
  ExpectOpError(Transform(Ramp(), INT32_MAX, {}, Ramp()), "limit");
  ExpectOpError(Transform(Values<float>({1, 0, 1}, {}), {}, {}, Ramp()), "dft_length is 0");
  ExpectOpError(Transform(Values<float>({1, 3}, {1, 2, 3}), {}, {}, Ramp()), "expected [...,1]");
}

}  // namespace
}  // namespace inferd::testing
