// Winograd's one-dimensional transforms of vectors, compiled once per Highway target.
// F(2,3) interpolates at 0, 1, -1 and infinity. F(4,3) at 0, +-a, +-b and infinity with a^2 = 1/2
// and b^2 = 2, whose rounding errors are a fifth of those of the usual 0, +-1 and +-2.
#if defined(INFERD_CPU_SIMD_WINOGRAD_TRANSFORMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INFERD_CPU_SIMD_WINOGRAD_TRANSFORMS_INL_H_
#undef INFERD_CPU_SIMD_WINOGRAD_TRANSFORMS_INL_H_
#else
#define INFERD_CPU_SIMD_WINOGRAD_TRANSFORMS_INL_H_
#endif

#include <cstddef>

#include "engine/providers/cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

constexpr float kPointA = 0.70710678118654752f;
constexpr float kPointB = 1.41421356237309505f;

// load(i) gives element i of the untransformed column, store(i, v) takes element i of the result.

template <int kOutTile>
struct Winograd;

template <>
struct Winograd<2> {
  template <typename Load, typename Store>
  static HWY_INLINE void Weights(const Load& load, const Store& store) {
    const V g0 = load(0);
    const V g1 = load(1);
    const V g2 = load(2);
    const V half = Const(0.5f);
    const V even = hn::Mul(half, hn::Add(g0, g2));
    store(0, g0);
    store(1, hn::MulAdd(half, g1, even));
    store(2, hn::NegMulAdd(half, g1, even));
    store(3, g2);
  }
  template <typename Load, typename Store>
  static HWY_INLINE void Input(const Load& load, const Store& store) {
    const V d0 = load(0);
    const V d1 = load(1);
    const V d2 = load(2);
    const V d3 = load(3);
    store(0, hn::Sub(d0, d2));
    store(1, hn::Add(d1, d2));
    store(2, hn::Sub(d2, d1));
    store(3, hn::Sub(d3, d1));
  }
  template <typename Load, typename Store>
  static HWY_INLINE void Output(const Load& load, const Store& store) {
    const V m0 = load(0);
    const V m1 = load(1);
    const V m2 = load(2);
    const V m3 = load(3);
    store(0, hn::Add(m0, hn::Add(m1, m2)));
    store(1, hn::Add(hn::Sub(m1, m2), m3));
  }
};

template <>
struct Winograd<4> {
  template <typename Load, typename Store>
  static HWY_INLINE void Weights(const Load& load, const Store& store) {
    const V g0 = load(0);
    const V g1 = load(1);
    const V g2 = load(2);
    const V even_a = hn::Mul(Const(-2.0f / 3), hn::MulAdd(Const(0.5f), g2, g0));
    const V even_b = hn::Mul(Const(1.0f / 6), hn::MulAdd(Const(2.0f), g2, g0));
    const V odd_a = Const(-2.0f / 3 * kPointA);
    const V odd_b = Const(1.0f / 6 * kPointB);
    store(0, g0);
    store(1, hn::MulAdd(odd_a, g1, even_a));
    store(2, hn::NegMulAdd(odd_a, g1, even_a));
    store(3, hn::MulAdd(odd_b, g1, even_b));
    store(4, hn::NegMulAdd(odd_b, g1, even_b));
    store(5, g2);
  }
  template <typename Load, typename Store>
  static HWY_INLINE void Input(const Load& load, const Store& store) {
    const V a = Const(kPointA);
    const V b = Const(kPointB);
    const V half = Const(0.5f);
    const V two = Const(2.0f);
    const V five_halves = Const(2.5f);
    const V d0 = load(0);
    const V d1 = load(1);
    const V d2 = load(2);
    const V d3 = load(3);
    const V d4 = load(4);
    const V d5 = load(5);
    const V even_a = hn::NegMulAdd(two, d2, d4);
    const V odd_a = hn::NegMulAdd(two, d1, d3);
    const V even_b = hn::NegMulAdd(half, d2, d4);
    const V odd_b = hn::NegMulAdd(half, d1, d3);
    store(0, hn::NegMulAdd(five_halves, d2, hn::Add(d0, d4)));
    store(1, hn::MulAdd(a, odd_a, even_a));
    store(2, hn::NegMulAdd(a, odd_a, even_a));
    store(3, hn::MulAdd(b, odd_b, even_b));
    store(4, hn::NegMulAdd(b, odd_b, even_b));
    store(5, hn::NegMulAdd(five_halves, d3, hn::Add(d1, d5)));
  }
  template <typename Load, typename Store>
  static HWY_INLINE void Output(const Load& load, const Store& store) {
    const V m1 = load(1);
    const V m2 = load(2);
    const V m3 = load(3);
    const V m4 = load(4);
    const V even_a = hn::Add(m1, m2);
    const V even_b = hn::Add(m3, m4);
    const V odd_a = hn::Mul(Const(kPointA), hn::Sub(m1, m2));
    const V odd_b = hn::Mul(Const(kPointB), hn::Sub(m3, m4));
    store(0, hn::Add(load(0), hn::Add(even_a, even_b)));
    store(1, hn::Add(odd_a, odd_b));
    store(2, hn::MulAdd(Const(0.5f), even_a, hn::Add(even_b, even_b)));
    store(3, hn::MulAdd(Const(0.5f), odd_a, hn::MulAdd(Const(2.0f), odd_b, load(5))));
  }
};

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // per-target include guard
