// Vector mathematics and partial loads for float rows, compiled once per Highway target.
// The rational and polynomial coefficients were fitted for minimal relative error; each function
// stays within a few units in the last place of the exact value, and NaN stays NaN.
#if defined(INFERD_CPU_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INFERD_CPU_SIMD_MATH_INL_H_
#undef INFERD_CPU_SIMD_MATH_INL_H_
#else
#define INFERD_CPU_SIMD_MATH_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;

// The first `count` lanes from memory, the rest zero; reads nothing past them.
HWY_INLINE V LoadPart(const float* from, size_t count) {
  const D d;
#if HWY_TARGET == HWY_AVX3
  return hn::MaskedLoad(hn::FirstN(d, count), d, from);
#else
  HWY_ALIGN float lanes[HWY_LANES(float)] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = from[i];
  return hn::Load(d, lanes);
#endif
}

// Writes the first `count` lanes and nothing past them.
HWY_INLINE void StorePart(V v, float* to, size_t count) {
  const D d;
#if HWY_TARGET == HWY_AVX3
  hn::BlendedStore(v, hn::FirstN(d, count), d, to);
#else
  HWY_ALIGN float lanes[HWY_LANES(float)];
  hn::Store(v, d, lanes);
  for (size_t i = 0; i < count; ++i) to[i] = lanes[i];
#endif
}

HWY_INLINE V Const(float value) { return hn::Set(D(), value); }

// Horner's scheme, coefficients from the highest power down.
HWY_INLINE V Poly(V, V acc) { return acc; }
template <typename... Rest>
HWY_INLINE V Poly(V x, V acc, float next, Rest... rest) {
  return Poly(x, hn::MulAdd(acc, x, Const(next)), rest...);
}

// Min and Max return their second operand when either is NaN, so x stays last.
HWY_INLINE V ClampKeepNan(V x, float low, float high) {
  return hn::Min(Const(high), hn::Max(Const(low), x));
}

// exp(r) for |r| <= ln(2) / 2.
HWY_INLINE V ExpReduced(V r) {
  return Poly(r, Const(0.00138367415f), 0.00837489836f, 0.0416682318f, 0.166664192f, 0.49999992f,
              1.00000004f, 1.0f);
}

// Splits x = n ln(2) + r. Returns r; `biased` holds n in its low mantissa bits.
HWY_INLINE V ReduceByLn2(V x, V* biased) {
  const V magic = Const(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  *biased = hn::MulAdd(x, Const(1.44269504f), magic);
  const V n = hn::Sub(*biased, magic);
  const V r = hn::NegMulAdd(n, Const(0.693359375f), x);
  return hn::NegMulAdd(n, Const(-2.12194440e-4f), r);
}

HWY_INLINE V Exp(V x) {
  const D d;
  const DI di;
  V biased;
  // Past these bounds the result is infinite or zero, which the two scalings below produce.
  const V r = ReduceByLn2(ClampKeepNan(x, -104.0f, 89.0f), &biased);
  const auto n = hn::Sub(hn::BitCast(di, biased), hn::Set(di, 0x4B400000));
  const auto half = hn::ShiftRight<1>(n);
  const auto one = hn::Set(di, 127);
  const V a = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, one)));
  const V b = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::Sub(n, half), one)));
  return hn::Mul(hn::Mul(ExpReduced(r), a), b);
}

// exp(x) for x <= 0; results below 1e-37 are flushed towards zero. Cheaper than Exp.
HWY_INLINE V ExpNotPositive(V x) {
  const D d;
  const DI di;
  V biased;
  const V low = Const(-86.0f);
  const V r = ReduceByLn2(hn::Max(low, x), &biased);
  const auto shifted = hn::ShiftLeft<23>(hn::BitCast(di, biased));
  const V y = hn::BitCast(d, hn::Add(hn::BitCast(di, ExpReduced(r)), shifted));
  // NaN compares false and must not become zero.
  return hn::IfThenZeroElse(hn::Lt(x, low), hn::Add(y, hn::Mul(x, hn::Zero(d))));
}

// a / b within two units in the last place, for positive b from 2^-125 to 2^125. Where a division
// takes as long as twenty other instructions, the reciprocal is estimated and refined once.
HWY_INLINE V Quotient(V a, V b) {
#if HWY_TARGET == HWY_AVX3
  const V estimate = hn::ApproximateReciprocal(b);
  return hn::Mul(a, hn::Mul(estimate, hn::NegMulAdd(b, estimate, Const(2.0f))));
#else
  return hn::Div(a, b);
#endif
}

// exp(-x) for |x| <= 86: within two units in the last place near zero, 2e-6 of it far out. The bits
// of a NaN are changed.
HWY_INLINE V ExpNeg(V x) {
  const D d;
  const DI di;
  const V log2_e = Const(1.44269504f);
  const V magic = Const(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const V biased = hn::NegMulAdd(x, log2_e, magic);
  const V part = hn::NegMulSub(x, log2_e, hn::Sub(biased, magic));
  // 2^part for |part| <= 1/2.
  const V power = Poly(part, Const(0.00132647273f), 0.00967151299f, 0.0555073358f, 0.240222424f,
                       0.693147004f, 1.0f);
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, biased));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, power), exponent));
}

// 1 / (1 + exp(-x)); x below -86 counts as -86, so that a Quotient can take the sum. A NaN may give
// any number.
HWY_INLINE V SigmoidOfNumber(V x) {
  return Quotient(Const(1.0f), hn::Add(Const(1.0f), ExpNeg(ClampKeepNan(x, -86.0f, 86.0f))));
}

HWY_INLINE V Sigmoid(V x) { return hn::IfThenElse(hn::IsNaN(x), x, SigmoidOfNumber(x)); }

// x sigmoid(p x), where the sigmoid below 1e-37 is zero: infinity times that is no number.
HWY_INLINE V Swish(V x, V p) {
  const V scaled = hn::Mul(x, p);
  return hn::Mul(x, hn::IfThenZeroElse(hn::Lt(scaled, Const(-86.0f)), SigmoidOfNumber(scaled)));
}

// `y` where |x| is below `bound`, else one with x's sign, which is what erf and tanh round to.
HWY_INLINE V Saturate(V x, float bound, V y) {
  const V bounded = ClampKeepNan(y, -1.0f, 1.0f);
  return hn::IfThenElse(hn::Ge(hn::Abs(x), Const(bound)), hn::CopySign(Const(1.0f), x), bounded);
}

HWY_INLINE V Tanh(V x) {
  const V c = ClampKeepNan(x, -9.0f, 9.0f);
  const V z = hn::Mul(c, c);
  const V p =
      Poly(z, Const(1.32658719e-08f), 2.05451269e-05f, 0.00349170425f, 0.133777557f, 0.999999978f);
  const V q = Poly(z, Const(7.74025955e-07f), 0.000327928177f, 0.0258622075f, 0.467110704f, 1.0f);
  return Saturate(x, 9.0f, Quotient(hn::Mul(c, p), q));
}

HWY_INLINE V Erf(V x) {
  const V c = ClampKeepNan(x, -3.92f, 3.92f);
  const V z = hn::Mul(c, c);
  const V p = Poly(z, Const(2.02589148e-06f), 0.000284688012f, 0.00380820531f, 0.0528755862f,
                   0.191551424f, 1.12837914f);
  const V q = Poly(z, Const(3.78316419e-05f), 0.0011707349f, 0.0150551806f, 0.114560076f,
                   0.503090705f, 1.0f);
  return Saturate(x, 3.84f, Quotient(hn::Mul(c, p), q));
}

// Natural logarithm: zero gives -inf, negative numbers NaN, +inf itself.
HWY_INLINE V Log(V x) {
  const D d;
  const DI di;
  // Subnormals are scaled up by 2^25 first.
  const auto tiny = hn::Lt(x, Const(1.17549435e-38f));
  const V scaled = hn::IfThenElse(tiny, hn::Mul(x, Const(33554432.0f)), x);
  // Exponent and mantissa so that the mantissa lies in [sqrt(1/2), sqrt(2)).
  const auto bits = hn::BitCast(di, scaled);
  const auto offset = hn::Sub(bits, hn::Set(di, 0x3F3504F3));
  const auto e = hn::ShiftRight<23>(offset);
  const V m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(e)));
  const V exponent = hn::Sub(hn::ConvertTo(d, e), hn::IfThenElseZero(tiny, Const(25.0f)));
  // log(m) = 2 atanh(s), s = (m - 1) / (m + 1).
  const V s = hn::Div(hn::Sub(m, Const(1.0f)), hn::Add(m, Const(1.0f)));
  const V z = hn::Mul(s, s);
  const V tail = Poly(z, Const(0.233321409f), 0.285507554f, 0.400001225f, 0.666666666f);
  const V log_m = hn::MulAdd(hn::Mul(s, z), tail, hn::Add(s, s));
  V y = hn::MulAdd(exponent, Const(-2.12194440e-4f), log_m);
  y = hn::MulAdd(exponent, Const(0.693359375f), y);
  const V infinity = hn::Inf(d);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), y);
  return hn::IfThenElse(hn::Ge(x, hn::Zero(d)), y, hn::NaN(d));
}

// log(1 + e) for e in [0, 1].
HWY_INLINE V LogOnePlus(V e) {
  const V one = Const(1.0f);
  const V u = hn::Add(one, e);
  const V low = hn::Sub(u, one);
  const V y = hn::Mul(Log(u), hn::Div(e, low));
  return hn::IfThenElse(hn::Eq(low, hn::Zero(D())), e, y);
}

HWY_INLINE V Gelu(V x) {
  const V half = hn::Mul(Const(0.5f), x);
  return hn::MulAdd(half, Erf(hn::Mul(x, Const(0.707106781f))), half);
}

HWY_INLINE V GeluTanh(V x) {
  const V cubic = hn::MulAdd(hn::Mul(x, x), Const(0.044715f * 0.797884561f), Const(0.797884561f));
  const V half = hn::Mul(Const(0.5f), x);
  return hn::MulAdd(half, Tanh(hn::Mul(x, cubic)), half);
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // per-target include guard
