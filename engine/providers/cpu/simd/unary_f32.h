#pragma once

#include <cstdint>

namespace inferd::cpu {

// Elementwise functions of one float. p and q are the operator's parameters.
enum class UnaryF32 : uint8_t {
  kCopy,
  kRelu,
  kLeakyRelu,  // x < 0 ? p x : x
  kClip,       // min(max(x, p), q)
  kSigmoid,
  kTanh,
  kExp,
  kLog,
  kSqrt,
  kErf,
  kGelu,  // by erf
  kGeluTanh,
  kHardSwish,    // x HardSigmoid(x; 1/6, 1/2)
  kHardSigmoid,  // min(max(p x + q, 0), 1)
  kSwish,        // x sigmoid(p x)
  kMish,
  kSoftplus,
  kSoftsign,
  kElu,              // x < 0 ? p (exp(x) - 1) : x
  kSelu,             // q (x <= 0 ? p (exp(x) - 1) : x)
  kThresholdedRelu,  // x > p ? x : 0
  kAbs,
  kNeg,
  kReciprocal,
  kFloor,
  kCeil,
  kRound,  // half to even
  kSquare,
  kCube,
  kSign,
};

// y[i] = op(x[i]) for i in [0, count). y may be x; otherwise they must not overlap. NaN stays NaN.
void RunUnaryF32(UnaryF32 op, float p, float q, const float* x, float* y, int64_t count);

}  // namespace inferd::cpu
