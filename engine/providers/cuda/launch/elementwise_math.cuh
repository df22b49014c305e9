#pragma once

#include "engine/providers/cuda/launch/elementwise.h"

// What each elementwise instruction computes: for the kernel that interprets programs and, with
// constants for instructions, for those that are generated from one.
namespace inferd::cuda {

// NaN wins, as in numpy.
template <typename C>
__device__ __forceinline__ C Least(C x, C y) {
  if (x != x) return x;
  return y < x || y != y ? y : x;
}
template <typename C>
__device__ __forceinline__ C Most(C x, C y) {
  if (x != x) return x;
  return y > x || y != y ? y : x;
}

__device__ __forceinline__ float Softplus(float x) {
  return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}
__device__ __forceinline__ double Softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

// What only floats have.
template <typename C>
__device__ __forceinline__ C ApplyFloat(const Instruction& op, C x, C y) {
  const C p = static_cast<C>(op.p);
  const C q = static_cast<C>(op.q);
  switch (op.code) {
    case Code::kExp:
      return exp(x);
    case Code::kLog:
      return log(x);
    case Code::kSqrt:
      return sqrt(x);
    case Code::kReciprocal:
      return C(1) / x;
    case Code::kSigmoid:
      return C(1) / (C(1) + exp(-x));
    case Code::kTanh:
      return tanh(x);
    case Code::kErf:
      return erf(x);
    case Code::kLeakyRelu:
      return x < C(0) ? p * x : x;
    case Code::kElu:
      return x < C(0) ? p * expm1(x) : x;
    case Code::kSelu:
      return x > C(0) ? q * x : q * (p * expm1(x));
    case Code::kHardSigmoid:
      return Most(C(0), Least(C(1), p * x + q));
    case Code::kHardSwish:
      return x * Most(C(0), Least(C(1), x / C(6) + C(0.5)));
    case Code::kSwish:
      return x / (C(1) + exp(-p * x));
    case Code::kGelu:
      return C(0.5) * x * (C(1) + erf(x * C(0.70710678118654752440)));
    case Code::kGeluTanh:
      return C(0.5) * x * (C(1) + tanh(C(0.79788456080286535588) * (x + C(0.044715) * x * x * x)));
    case Code::kMish:
      return x * tanh(Softplus(x));
    case Code::kSoftplus:
      return Softplus(x);
    case Code::kSoftsign:
      return x / (C(1) + fabs(x));
    case Code::kThresholdedRelu:
      return x > p ? x : C(0);
    case Code::kFloor:
      return floor(x);
    case Code::kCeil:
      return ceil(x);
    case Code::kRound:
      return rint(x);
    case Code::kSin:
      return sin(x);
    case Code::kCos:
      return cos(x);
    case Code::kIsNan:
      return x != x ? C(1) : C(0);
    case Code::kPow:
      return pow(x, y);
    case Code::kPRelu:
      return x < C(0) ? x * y : x;
    default:
      return x;
  }
}

template <typename C>
__device__ __forceinline__ C Other(const Instruction& op, C x, C y) {
  return ApplyFloat(op, x, y);
}
// Programs in integers have none of these.
template <>
__device__ __forceinline__ long long Other<long long>(const Instruction&, long long x, long long) {
  return x;
}

template <typename C>
__device__ __forceinline__ C Quotient(C x, C y) {
  return x / y;
}
// Division by zero must not trap or depend on the hardware.
template <>
__device__ __forceinline__ long long Quotient<long long>(long long x, long long y) {
  if (y == 0) return 0;
  if (y == -1) return static_cast<long long>(0ull - static_cast<unsigned long long>(x));
  return x / y;
}

template <typename C>
__device__ __forceinline__ C Apply(const Instruction& op, C x, C y, C z) {
  switch (op.code) {
    case Code::kAbs:
      return x < C(0) ? -x : x + C(0);  // of -0, 0
    case Code::kNeg:
      return -x;
    case Code::kRelu:
      return x < C(0) ? C(0) : x;
    case Code::kSign:
      return x != x ? x : C((x > C(0)) - (x < C(0)));
    case Code::kNot:
      return C(x == C(0));
    case Code::kAdd:
      return x + y;
    case Code::kSub:
      return x - y;
    case Code::kMul:
      return x * y;
    case Code::kDiv:
      return Quotient(x, y);
    case Code::kMin:
      return Least(x, y);
    case Code::kMax:
      return Most(x, y);
    case Code::kEqual:
      return C(x == y);
    case Code::kLess:
      return C(x < y);
    case Code::kLessOrEqual:
      return C(x <= y);
    case Code::kGreater:
      return C(x > y);
    case Code::kGreaterOrEqual:
      return C(x >= y);
    case Code::kAnd:
      return C(x != C(0) && y != C(0));
    case Code::kOr:
      return C(x != C(0) || y != C(0));
    case Code::kXor:
      return C((x != C(0)) != (y != C(0)));
    case Code::kSelect:
      return x != C(0) ? y : z;
    default:
      return Other(op, x, y);
  }
}

}  // namespace inferd::cuda
