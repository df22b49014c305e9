#include "engine/providers/cpu/simd/unary_f32.h"

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/unary_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

template <typename Fn>
HWY_INLINE void Map(const float* x, float* y, size_t count, const Fn& fn) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const V a = hn::LoadU(d, x + i);
    const V b = hn::LoadU(d, x + i + lanes);
    hn::StoreU(fn(a), d, y + i);
    hn::StoreU(fn(b), d, y + i + lanes);
  }
  for (; i + lanes <= count; i += lanes) hn::StoreU(fn(hn::LoadU(d, x + i)), d, y + i);
  if (i < count) StorePart(fn(LoadPart(x + i, count - i)), y + i, count - i);
}

void RunSimple(UnaryF32 op, float p, float q, const float* x, float* y, size_t n) {
  const D d;
  const V zero = hn::Zero(d);
  const V vp = Const(p);
  const V vq = Const(q);
  switch (op) {
    case UnaryF32::kRelu:
      return Map(x, y, n, [=](V v) { return hn::Max(zero, v); });
    case UnaryF32::kLeakyRelu:
      return Map(x, y, n, [=](V v) { return hn::IfThenElse(hn::Lt(v, zero), hn::Mul(v, vp), v); });
    case UnaryF32::kClip:
      return Map(x, y, n, [=](V v) { return hn::Min(vq, hn::Max(vp, v)); });
    case UnaryF32::kSqrt:
      return Map(x, y, n, [](V v) { return hn::Sqrt(v); });
    case UnaryF32::kHardSwish:
      return Map(x, y, n, [=](V v) {
        const V gate = hn::MulAdd(v, Const(1.0f / 6.0f), Const(0.5f));
        return hn::Mul(v, ClampKeepNan(gate, 0.0f, 1.0f));
      });
    case UnaryF32::kHardSigmoid:
      return Map(x, y, n, [=](V v) { return ClampKeepNan(hn::MulAdd(v, vp, vq), 0.0f, 1.0f); });
    case UnaryF32::kSoftsign:
      return Map(x, y, n, [](V v) { return hn::Div(v, hn::Add(Const(1.0f), hn::Abs(v))); });
    case UnaryF32::kThresholdedRelu:
      return Map(x, y, n, [=](V v) { return hn::IfThenElseZero(hn::Gt(v, vp), v); });
    case UnaryF32::kAbs:
      return Map(x, y, n, [](V v) { return hn::Abs(v); });
    case UnaryF32::kNeg:
      return Map(x, y, n, [](V v) { return hn::Neg(v); });
    case UnaryF32::kReciprocal:
      return Map(x, y, n, [](V v) { return hn::Div(Const(1.0f), v); });
    case UnaryF32::kFloor:
      return Map(x, y, n, [](V v) { return hn::Floor(v); });
    case UnaryF32::kCeil:
      return Map(x, y, n, [](V v) { return hn::Ceil(v); });
    case UnaryF32::kRound:
      return Map(x, y, n, [](V v) { return hn::Round(v); });
    case UnaryF32::kSquare:
      return Map(x, y, n, [](V v) { return hn::Mul(v, v); });
    case UnaryF32::kCube:
      return Map(x, y, n, [](V v) { return hn::Mul(hn::Mul(v, v), v); });
    case UnaryF32::kSign:
      return Map(x, y, n, [=](V v) {
        const V sign = hn::CopySignToAbs(Const(1.0f), v);
        return hn::IfThenElse(hn::IsNaN(v), v, hn::IfThenElseZero(hn::Ne(v, zero), sign));
      });
    default:
      return Map(x, y, n, [](V v) { return v; });
  }
}

void RunUnary(UnaryF32 op, float p, float q, const float* x, float* y, int64_t count) {
  const D d;
  const size_t n = static_cast<size_t>(count);
  const V zero = hn::Zero(d);
  const V vp = Const(p);
  const V vq = Const(q);
  switch (op) {
    case UnaryF32::kSigmoid:
      return Map(x, y, n, [](V v) { return Sigmoid(v); });
    case UnaryF32::kTanh:
      return Map(x, y, n, [](V v) { return Tanh(v); });
    case UnaryF32::kExp:
      return Map(x, y, n, [](V v) { return Exp(v); });
    case UnaryF32::kLog:
      return Map(x, y, n, [](V v) { return Log(v); });
    case UnaryF32::kErf:
      return Map(x, y, n, [](V v) { return Erf(v); });
    case UnaryF32::kGelu:
      return Map(x, y, n, [](V v) { return Gelu(v); });
    case UnaryF32::kGeluTanh:
      return Map(x, y, n, [](V v) { return GeluTanh(v); });
    case UnaryF32::kSwish:
      return Map(x, y, n, [=](V v) { return Swish(v, vp); });
    case UnaryF32::kMish:
      return Map(x, y, n, [](V v) {
        // tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2), which is 1 in float from x = 20 on.
        const V e = Exp(hn::Min(Const(20.0f), v));
        const V t = hn::MulAdd(e, e, hn::Add(e, e));
        return hn::Mul(v, hn::Div(t, hn::Add(t, Const(2.0f))));
      });
    case UnaryF32::kSoftplus:
      return Map(x, y, n, [=](V v) {
        return hn::Add(hn::Max(zero, v), LogOnePlus(ExpNotPositive(hn::Neg(hn::Abs(v)))));
      });
    case UnaryF32::kElu:
      return Map(x, y, n, [=](V v) {
        const V e = hn::Mul(vp, hn::Sub(Exp(v), Const(1.0f)));
        return hn::IfThenElse(hn::Lt(v, zero), e, v);
      });
    case UnaryF32::kSelu:
      return Map(x, y, n, [=](V v) {
        const V e = hn::Mul(vp, hn::Sub(Exp(v), Const(1.0f)));
        return hn::Mul(vq, hn::IfThenElse(hn::Le(v, zero), e, v));
      });
    default:
      return RunSimple(op, p, q, x, y, n);
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(RunUnary);

void RunUnaryF32(UnaryF32 op, float p, float q, const float* x, float* y, int64_t count) {
  HWY_DYNAMIC_DISPATCH(RunUnary)(op, p, q, x, y, count);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
