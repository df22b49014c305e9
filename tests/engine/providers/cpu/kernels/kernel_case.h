#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"

namespace inferd::cpu {

// One operator over given tensors, to be run by the CPU provider's kernel and by the portable one.
// Tensors are given row-major; `layout` is what the CPU kernel gets. Used by one thread at a time.
struct KernelCase {
  struct Input {
    Tensor tensor;  // without data: the input is absent
    bool constant = false;
    Layout layout = Layout::kRowMajor;  // rank >= 3 only
  };
  struct EpilogueOp {
    std::string op;
    Attributes attributes;
    Tensor operand = Tensor();  // without data: a unary operator
    bool operand_first = false;
    Layout layout = Layout::kRowMajor;
    bool constant = false;
  };

  std::string op;
  std::vector<Input> inputs;
  Attributes attributes = Attributes();
  std::string domain = "";
  Layout output_layout = Layout::kRowMajor;
  std::vector<EpilogueOp> epilogue = {};
  int num_outputs = 1;
  int in_place_input = -1;  // output 0 uses this input's storage
  int threads = 1;
};

// Outputs, all row-major.
struct KernelOutcome {
  std::vector<Tensor> expected;
  std::vector<Tensor> actual;
};

// Whether the CPU provider has an own kernel (one of simd/) for the case.
bool HasKernel(const KernelCase& test);
// Runs both; fails where there is no kernel or either fails.
absl::StatusOr<KernelOutcome> RunCase(const KernelCase& test);
// Runs both and compares every output: floats within rtol * |expected| + atol with equal NaN and
// infinities, all else exactly.
void ExpectAgrees(const KernelCase& test, double rtol = 1e-5, double atol = 1e-6);

// Floats in [low, high) from a fixed sequence.
Tensor RandomFloats(const Shape& shape, float low = -2.0f, float high = 2.0f, uint32_t seed = 1);
Tensor RandomInt64s(const Shape& shape, int64_t low, int64_t high, uint32_t seed = 1);
// The same elements in another memory order.
Tensor InLayout(const Tensor& tensor, Layout layout);

KernelCase::Input Activation(Tensor tensor, Layout layout = Layout::kRowMajor);
KernelCase::Input Constant(Tensor tensor);

}  // namespace inferd::cpu
