#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// What an elementwise instruction does to the accumulator x. Binary ones have an operand y, an
// input or a number; reversed ones exchange the two.
enum class Code : uint8_t {
  // Of x alone; p and q are its numbers.
  kAbs,
  kNeg,
  kExp,
  kLog,
  kSqrt,
  kReciprocal,
  kSigmoid,
  kTanh,
  kErf,
  kRelu,
  kLeakyRelu,    // p: slope
  kElu,          // p: alpha
  kSelu,         // p: alpha, q: gamma
  kHardSigmoid,  // p: alpha, q: beta
  kHardSwish,
  kSwish,  // p: alpha
  kGelu,   // exact, by erf
  kGeluTanh,
  kMish,
  kSoftplus,
  kSoftsign,
  kThresholdedRelu,  // p: alpha
  kFloor,
  kCeil,
  kRound,  // halves to even
  kSign,
  kSin,
  kCos,
  kNot,
  kIsNan,
  // Of x and y.
  kAdd,
  kSub,
  kMul,
  kDiv,
  kPow,
  kMin,
  kMax,
  kPRelu,
  kEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kXor,
  // x != 0 ? y : z.
  kSelect,
};

inline constexpr int kMaxInputs = 8;
inline constexpr int kMaxInstructions = 16;
inline constexpr int kNumber = -1;  // instead of an input: the number p

struct Instruction {
  Code code = Code::kAbs;
  bool reversed = false;
  int8_t y = kNumber;  // an input
  int8_t z = kNumber;  // an input, of kSelect
  float p = 0;
  float q = 0;
};

struct ElementwiseInput {
  const void* data = nullptr;
  Type type = Type::kFloat32;
  bool dense = false;  // its elements lie as the output's do
  Strides strides;     // over the program's dims otherwise
};

// Instructions over every element of an output, beginning with x = input 0. Passed by value.
struct ElementwiseProgram {
  Arithmetic arithmetic = Arithmetic::kFloat;
  int num_inputs = 0;
  int num_instructions = 0;
  int64_t elements = 0;
  Dims dims;  // of the output, in the order of its memory; of use where an input is not dense
  ElementwiseInput inputs[kMaxInputs];
  Instruction instructions[kMaxInstructions];
  void* output = nullptr;  // may be an input that is dense
  Type output_type = Type::kFloat32;
};
// The least that every architecture takes as kernel parameters.
static_assert(sizeof(ElementwiseProgram) <= 4096);

// What a kernel that was generated from a program is launched with. Passed by value.
struct ChainArguments {
  const void* inputs[kMaxInputs] = {};
  void* output = nullptr;
  int64_t elements = 0;
  // For kernels in which they are no constants.
  Dims dims;
  Strides strides[kMaxInputs];
};

// A cudaError_t: whether the library has code for the thread's device.
int CheckCode();

void LaunchElementwise(const ElementwiseProgram& program, Stream stream);

}  // namespace inferd::cuda
