#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"
#include "gtest/gtest.h"

namespace inferd::testing {

// One operator applied to given inputs and what it must give: written once, run on the portable
// kernel and on every provider. A value type.
struct OpCase {
  std::string name;  // a sentence: "BroadcastsTheShorterOperand"
  std::string op;
  std::vector<std::optional<Tensor>> inputs;   // nullopt where an optional input is absent
  std::vector<std::optional<Tensor>> outputs;  // nullopt where an output is not wanted
  Attributes attributes = {};
  double relative_tolerance = 1e-5;
  double absolute_tolerance = 1e-7;
  std::string domain = "";
};

// "{"axis", 1}" lists: MakeAttributes({{"axis", int64_t{1}}, {"mode", std::string("edge")}}).
Attributes MakeAttributes(std::vector<std::pair<std::string, Attributes::Value>> values);

// Executes a case's operator over its inputs; one tensor per expected output (empty if not wanted).
using OpRunner = std::function<absl::StatusOr<std::vector<Tensor>>(const OpCase&)>;

// The shape rule and then the portable kernel. INTERNAL when the rule contradicts the kernel, with
// everything known, with ranks alone and with nothing known.
absl::StatusOr<std::vector<Tensor>> RunPortableKernel(const OpCase& op_case);

// Kinds, types and shapes equal, numbers within the tolerances, NaN equal to NaN, the rest exact.
::testing::AssertionResult TensorsAgree(const Tensor& expected, const Tensor& got,
                                        double relative_tolerance, double absolute_tolerance);

// Runs the case and expects its outputs.
void CheckOpCase(const OpCase& op_case, const OpRunner& runner = RunPortableKernel);
void CheckOpCases(const std::vector<OpCase>& cases, const OpRunner& runner = RunPortableKernel);

// Expects an error whose message contains `text`.
void ExpectOpError(const OpCase& op_case, absl::string_view text,
                   const OpRunner& runner = RunPortableKernel);

// Short tensors for cases: Values<float>({2}, {1, 2}).
template <typename T>
Tensor Values(const Shape& shape, std::initializer_list<T> values) {
  return Tensor::FromValues<T>(shape, values);
}
// Small integers stored as `dtype`, whatever type it is (narrow and float8 ones through Cast's
// rules).
Tensor ValuesAs(DType dtype, const Shape& shape, std::vector<double> values);

}  // namespace inferd::testing
