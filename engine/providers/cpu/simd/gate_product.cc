#include "engine/providers/cpu/simd/gate_product.h"

#include <type_traits>

#include "engine/core/rounding.h"
#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/gate_product.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

int64_t VectorFloats() { return static_cast<int64_t>(hn::Lanes(D())); }

// The sums of kRows rows times two vectors. A chain of structs because g++ keeps arrays of vectors
// in memory.
template <int kRows>
struct Sums {
  Sums<kRows - 1> others;
  V s0;
  V s1;

  HWY_INLINE void Set(V v0, V v1) {
    others.Set(v0, v1);
    s0 = v0;
    s1 = v1;
  }
  HWY_INLINE void AddProduct(const float* a, int64_t a_row, V b0, V b1) {
    others.AddProduct(a, a_row, b0, b1);
    const V x = hn::Set(D(), a[(kRows - 1) * a_row]);
    s0 = hn::MulAdd(x, b0, s0);
    s1 = hn::MulAdd(x, b1, s1);
  }
  HWY_INLINE void Add(const Sums& more) {
    others.Add(more.others);
    s0 = hn::Add(s0, more.s0);
    s1 = hn::Add(s1, more.s1);
  }
  HWY_INLINE void Store(float* c, int64_t c_row) const {
    others.Store(c, c_row);
    hn::StoreU(s0, D(), c + (kRows - 1) * c_row);
    hn::StoreU(s1, D(), c + (kRows - 1) * c_row + hn::Lanes(D()));
  }
};

template <>
struct Sums<0> {
  HWY_INLINE void Set(V, V) {}
  HWY_INLINE void AddProduct(const float*, int64_t, V, V) {}
  HWY_INLINE void Add(const Sums&) {}
  HWY_INLINE void Store(float*, int64_t) const {}
};

template <int kRows>
HWY_INLINE void AddStep(const float* a, int64_t a_row, const float* b, Sums<kRows>* sums) {
  const D d;
  sums->AddProduct(a, a_row, hn::LoadU(d, b), hn::LoadU(d, b + hn::Lanes(d)));
}

// Few rows have few sums, so that one step would wait for the last: they are summed in four parts,
// where there are registers for them.
template <int kRows>
constexpr bool kInParts = kRows == 1 || (kRows == 2 && HWY_TARGET == HWY_AVX3);

// kRows rows times one panel.
template <int kRows>
HWY_INLINE void Tile(const float* a, int64_t a_row, int64_t depth, const float* b, const float* row,
                     float* c, int64_t c_row) {
  const D d;
  const int64_t panel = 2 * static_cast<int64_t>(hn::Lanes(d));
  Sums<kRows> sums;
  sums.Set(hn::LoadU(d, row), hn::LoadU(d, row + hn::Lanes(d)));
  int64_t k = 0;
  if constexpr (kInParts<kRows>) {
    Sums<kRows> s1;
    Sums<kRows> s2;
    Sums<kRows> s3;
    s1.Set(hn::Zero(d), hn::Zero(d));
    s2 = s1;
    s3 = s1;
    for (; k + 4 <= depth; k += 4, b += 4 * panel) {
      AddStep(a + k, a_row, b, &sums);
      AddStep(a + k + 1, a_row, b + panel, &s1);
      AddStep(a + k + 2, a_row, b + 2 * panel, &s2);
      AddStep(a + k + 3, a_row, b + 3 * panel, &s3);
    }
    s2.Add(s3);
    sums.Add(s1);
    sums.Add(s2);
  }
  for (; k < depth; ++k, b += panel) AddStep(a + k, a_row, b, &sums);
  sums.Store(c, c_row);
}

void ProductOfPanels(const GateLayout& layout, const float* a, int64_t a_row, int64_t rows,
                     int64_t depth, const float* b, const float* row, int64_t first, int64_t last,
                     float* c) {
  const int64_t width = layout.width;
  for (int64_t j = first; j < last; j += layout.panel) {
    const float* panel = b + j * depth;
    int64_t i = 0;
    const auto run = [&](auto tile_rows) {
      for (; i + tile_rows <= rows; i += tile_rows) {
        Tile<tile_rows()>(a + i * a_row, a_row, depth, panel, row + j, c + i * width + j, width);
      }
    };
#if HWY_TARGET == HWY_AVX3
    run(std::integral_constant<int, 8>());
#endif
    run(std::integral_constant<int, 4>());
    run(std::integral_constant<int, 2>());
    run(std::integral_constant<int, 1>());
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {
namespace {}  // namespace

HWY_EXPORT(VectorFloats);
HWY_EXPORT(ProductOfPanels);

GateLayout::GateLayout(int64_t gates_in, int64_t hidden_in) : gates(gates_in), hidden(hidden_in) {
  const int64_t lanes = HWY_DYNAMIC_DISPATCH(VectorFloats)();
  stride = RoundUp(hidden, lanes);
  panel = 2 * lanes;
  width = RoundUp(gates * stride, panel);
}

void PackGates(const GateLayout& layout, const float* weights, int64_t depth, float* packed) {
  for (int64_t gate = 0; gate < layout.gates; ++gate) {
    for (int64_t h = 0; h < layout.hidden; ++h) {
      const float* from = weights + (gate * layout.hidden + h) * depth;
      const int64_t column = gate * layout.stride + h;
      const int64_t in_panel = column % layout.panel;
      float* to = packed + (column - in_panel) * depth + in_panel;
      for (int64_t k = 0; k < depth; ++k) to[k * layout.panel] = from[k];
    }
  }
}

void GateProduct(const GateLayout& layout, const float* a, int64_t a_row, int64_t rows,
                 int64_t depth, const float* b, const float* row, int64_t first, int64_t last,
                 float* c) {
  HWY_DYNAMIC_DISPATCH(ProductOfPanels)(layout, a, a_row, rows, depth, b, row, first, last, c);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
