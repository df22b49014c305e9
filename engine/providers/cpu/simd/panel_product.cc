#include "engine/providers/cpu/simd/panel_product.h"

#include <algorithm>

#include "engine/providers/cpu/simd/panel_form.h"
#include "engine/providers/cpu/simd/targets.h"
#include "engine/providers/cpu/simd/tile_transpose.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/panel_product.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

constexpr int64_t kLineFloats = 16;
constexpr int64_t kLanes = HWY_LANES(float);

int64_t Lanes() { return kLanes; }

// As many rows as leave registers for a row of the panel and a value of x, and for the pointers.
constexpr int MaxTileRows(int vectors, bool pointers) {
  if (pointers && HWY_TARGET == HWY_AVX3) return 8;
  if (HWY_TARGET == HWY_AVX3) return vectors == 3 ? 8 : vectors == 2 ? 12 : 16;
  return vectors == 3 ? 4 : vectors == 2 ? 6 : 8;
}

// One tile: some rows of x times one panel of one block of the depth.
struct PanelTile {
  const float* x;
  int64_t x_step;                // floats from a row to the next
  const float* const* pointers;  // of the tile's first row, else null
  int64_t pointers_step;         // from a stretch of the depth to the next
  int64_t units;                 // stretches
  int64_t depth;                 // of a stretch
  const float* panel;
  const float* next;  // fetched ahead, in lines
  int64_t next_lines;
  const float* bias;  // null: not in this block
  const float* add;
  int64_t add_step;
  float* y;
  int64_t y_step;
  int64_t columns;  // of the panel
  bool first;       // else y has the sums of the blocks before
  bool last;        // bias, add and the bounds are applied
  float low;
  float high;
};

HWY_INLINE V LoadColumns(const float* from, int64_t count) {
  return count >= kLanes ? hn::LoadU(D(), from)
         : count > 0     ? LoadPart(from, static_cast<size_t>(count))
                         : hn::Zero(D());
}

HWY_INLINE void StoreColumns(V v, float* to, int64_t count) {
  if (count >= kLanes) {
    hn::StoreU(v, D(), to);
  } else if (count > 0) {
    StorePart(v, to, static_cast<size_t>(count));
  }
}

// The sums of kRows rows times kVectors vectors. A chain of structs because g++ keeps arrays of
// vectors in memory.
template <int kVectors>
struct RowSums {
  RowSums<kVectors - 1> others;
  V sum;

  HWY_INLINE void SetZero() {
    others.SetZero();
    sum = hn::Zero(D());
  }
  HWY_INLINE void Load(const float* from) {
    others.Load(from);
    sum = hn::LoadU(D(), from + (kVectors - 1) * kLanes);
  }
  HWY_INLINE void LoadSome(const float* from, int64_t count) {
    others.LoadSome(from, count);
    sum = LoadColumns(from + (kVectors - 1) * kLanes, count - (kVectors - 1) * kLanes);
  }
  HWY_INLINE void AddProduct(V x, const RowSums& row) {
    others.AddProduct(x, row.others);
    sum = hn::MulAdd(x, row.sum, sum);
  }
  HWY_INLINE void Add(const RowSums& row) {
    others.Add(row.others);
    sum = hn::Add(sum, row.sum);
  }
  // Min and Max return their second operand when either is NaN.
  HWY_INLINE void Bound(V low, V high) {
    others.Bound(low, high);
    sum = hn::Min(high, hn::Max(low, sum));
  }
  HWY_INLINE void StoreSome(float* to, int64_t count) const {
    others.StoreSome(to, count);
    StoreColumns(sum, to + (kVectors - 1) * kLanes, count - (kVectors - 1) * kLanes);
  }
};

template <>
struct RowSums<0> {
  HWY_INLINE void SetZero() {}
  HWY_INLINE void Load(const float*) {}
  HWY_INLINE void LoadSome(const float*, int64_t) {}
  HWY_INLINE void AddProduct(V, const RowSums&) {}
  HWY_INLINE void Add(const RowSums&) {}
  HWY_INLINE void Bound(V, V) {}
  HWY_INLINE void StoreSome(float*, int64_t) const {}
};

template <int kRows, int kVectors>
struct PanelSums {
  PanelSums<kRows - 1, kVectors> others;
  RowSums<kVectors> sums;

  HWY_INLINE void Start(const PanelTile& tile) {
    others.Start(tile);
    if (tile.first) {
      sums.SetZero();
    } else {
      sums.LoadSome(tile.y + (kRows - 1) * tile.y_step, tile.columns);
    }
  }
  template <typename Rows>
  HWY_INLINE void AddProduct(const Rows& x, int64_t k, const RowSums<kVectors>& row) {
    others.AddProduct(x, k, row);
    sums.AddProduct(hn::Set(D(), x.Row(kRows - 1)[k]), row);
  }
  HWY_INLINE void Finish(const PanelTile& tile, const RowSums<kVectors>& bias, V low, V high) {
    others.Finish(tile, bias, low, high);
    if (tile.last) {
      sums.Add(bias);
      if (tile.add != nullptr) {
        RowSums<kVectors> add;
        add.LoadSome(tile.add + (kRows - 1) * tile.add_step, tile.columns);
        sums.Add(add);
      }
      sums.Bound(low, high);
    }
    sums.StoreSome(tile.y + (kRows - 1) * tile.y_step, tile.columns);
  }
};

template <int kVectors>
struct PanelSums<0, kVectors> {
  HWY_INLINE void Start(const PanelTile&) {}
  template <typename Rows>
  HWY_INLINE void AddProduct(const Rows&, int64_t, const RowSums<kVectors>&) {}
  HWY_INLINE void Finish(const PanelTile&, const RowSums<kVectors>&, V, V) {}
};

// Where a tile's rows are: at equal distances, or each somewhere.
template <int kRows>
struct SteppedRows {
  // One pointer and the distance reach three rows. g++ is not to know that the pointers are
  // related: it would keep the rows' distances in memory, which costs a fifteenth of the time.
  HWY_INLINE SteppedRows(const float* first, int64_t distance)
      : others(first, distance),
        x(first + kFirst * distance),
        step(distance * static_cast<int64_t>(sizeof(float))) {
    asm("" : "+r"(x));
  }
  HWY_INLINE const float* Row(int i) const {
    if (i < kFirst) return others.Row(i);
    return reinterpret_cast<const float*>(reinterpret_cast<const char*>(x) + (i - kFirst) * step);
  }
  HWY_INLINE void Advance(int64_t k) {
    others.Advance(k);
    x += k;
  }
  static constexpr int kFirst = (kRows - 1) / 3 * 3;
  SteppedRows<kFirst> others;
  const float* x;
  int64_t step;  // in bytes
};
template <>
struct SteppedRows<0> {
  HWY_INLINE SteppedRows(const float*, int64_t) {}
  HWY_INLINE const float* Row(int) const { return nullptr; }
  HWY_INLINE void Advance(int64_t) {}
};
template <int kRows>
struct PointedRows {
  HWY_INLINE explicit PointedRows(const float* const* from) : others(from), x(from[kRows - 1]) {}
  HWY_INLINE const float* Row(int i) const { return i == kRows - 1 ? x : others.Row(i); }
  HWY_INLINE void Advance(int64_t k) {
    others.Advance(k);
    x += k;
  }
  PointedRows<kRows - 1> others;
  const float* x;
};
template <>
struct PointedRows<0> {
  HWY_INLINE explicit PointedRows(const float* const*) {}
  HWY_INLINE const float* Row(int) const { return nullptr; }
  HWY_INLINE void Advance(int64_t) {}
};

template <int kRows, int kVectors, typename Rows>
HWY_INLINE void AddRow(const Rows& x, int64_t k, const float* panel,
                       PanelSums<kRows, kVectors>* sums) {
  RowSums<kVectors> row;
  row.Load(panel);
  sums->AddProduct(x, k, row);
}

// What is fetched ahead, a few lines with every four rows of the panel. No line is asked for twice:
// even of one that the second cache has, the question takes up a buffer between the caches, which
// the panel's own lines wait for.
struct Ahead {
  const float* next;
  const float* end;
  int64_t step;
  HWY_INLINE void Fetch() {
    for (int64_t i = 0; i < step && next < end; ++i, next += kLineFloats) {
      __builtin_prefetch(next, 0, 2);
    }
  }
};

template <int kRows, int kVectors, typename Rows>
HWY_INLINE const float* AddStretch(Rows x, int64_t depth, const float* panel, Ahead* ahead,
                                   PanelSums<kRows, kVectors>* sums) {
  constexpr int64_t kWidth = kVectors * kLanes;
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4, x.Advance(4), panel += 4 * kWidth) {
    ahead->Fetch();
    AddRow(x, 0, panel, sums);
    AddRow(x, 1, panel + kWidth, sums);
    AddRow(x, 2, panel + 2 * kWidth, sums);
    AddRow(x, 3, panel + 3 * kWidth, sums);
  }
  for (; k < depth; ++k, x.Advance(1), panel += kWidth) AddRow(x, 0, panel, sums);
  return panel;
}

// Asks for a tile's part of a matrix, needed when its sums are finished.
template <int kRows, int kVectors>
HWY_INLINE void FetchRows(const float* from, int64_t step) {
  for (int row = 0; row < kRows; ++row, from += step) {
    for (int v = 0; v < kVectors; ++v) __builtin_prefetch(from + v * kLanes, 0, 3);
  }
}

template <int kRows, int kVectors, bool kPointers>
HWY_NOINLINE void MultiplyTile(const PanelTile& tile) {
  PanelSums<kRows, kVectors> sums;
  sums.Start(tile);
  if (tile.last && tile.add != nullptr) FetchRows<kRows, kVectors>(tile.add, tile.add_step);
  Ahead ahead = {tile.next, tile.next + tile.next_lines * kLineFloats,
                 DivideUp(tile.next_lines, std::max<int64_t>(1, tile.units * (tile.depth / 4)))};
  const float* panel = tile.panel;
  if constexpr (kPointers) {
    for (int64_t u = 0; u < tile.units; ++u) {
      const PointedRows<kRows> x(tile.pointers + u * tile.pointers_step);
      panel = AddStretch(x, tile.depth, panel, &ahead, &sums);
    }
  } else {
    AddStretch(SteppedRows<kRows>(tile.x, tile.x_step), tile.depth, panel, &ahead, &sums);
  }
  RowSums<kVectors> bias;
  bias.SetZero();
  if (tile.bias != nullptr) bias.LoadSome(tile.bias, tile.columns);
  sums.Finish(tile, bias, Const(tile.low), Const(tile.high));
}

template <int kRows, int kVectors, bool kPointers>
HWY_INLINE void MultiplyTileOf(int64_t rows, const PanelTile& tile) {
  if (rows == kRows) {
    MultiplyTile<kRows, kVectors, kPointers>(tile);
  } else if constexpr (kRows > 1) {
    MultiplyTileOf<kRows - 1, kVectors, kPointers>(rows, tile);
  }
}

// All rows of a block times one panel, in tiles of about equal height.
template <int kVectors, bool kPointers>
HWY_INLINE void MultiplyPanel(PanelTile tile, int64_t rows) {
  constexpr int kMost = MaxTileRows(kVectors, kPointers);
  const PanelTile start = tile;
  const int64_t tiles = DivideUp(rows, kMost);
  const int64_t lines = DivideUp(tile.units * tile.depth * kVectors * kLanes, kLineFloats);
  tile.next_lines = DivideUp(lines, tiles);
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t first = rows * i / tiles;
    if constexpr (kPointers) {
      tile.pointers = start.pointers + first;
    } else {
      tile.x = start.x + first * tile.x_step;
    }
    tile.y = start.y + first * tile.y_step;
    if (start.add != nullptr) tile.add = start.add + first * tile.add_step;
    MultiplyTileOf<kMost, kVectors, kPointers>(rows * (i + 1) / tiles - first, tile);
    tile.next += tile.next_lines * kLineFloats;
  }
}

template <int kVectors>
HWY_INLINE void MultiplyRows(const PanelTile& tile, int64_t rows) {
  if (tile.pointers != nullptr) {
    MultiplyPanel<kVectors, true>(tile, rows);
  } else {
    MultiplyPanel<kVectors, false>(tile, rows);
  }
}

void Multiply(const PanelProduct& product, const PanelOperands& operands, const PanelBlock& block) {
  const PanelForm form(product, kLanes);
  PanelTile tile{};
  tile.x_step = operands.x_step;
  tile.add_step = product.columns;
  tile.y_step = operands.y_step;
  tile.low = operands.low;
  tile.high = operands.high;
  for (int64_t b = 0; b < form.blocks; ++b) {
    const int64_t first_depth = form.FirstDepth(b);
    tile.depth = form.FirstDepth(b + 1) - first_depth;
    tile.units = 1;
    if (block.pointers != nullptr) {
      tile.units = form.FirstUnit(b + 1) - form.FirstUnit(b);
      tile.depth = form.unit;
      tile.pointers = block.pointers + form.FirstUnit(b) * block.rows;
      tile.pointers_step = block.rows;
    } else {
      tile.x = operands.x + block.first_row * operands.x_step + first_depth;
    }
    tile.first = b == 0;
    tile.last = b == form.blocks - 1;
    for (int64_t panel = block.first_panel; panel < block.last_panel; ++panel) {
      const int64_t vector = form.FirstVector(panel);
      const int64_t vectors = form.FirstVector(panel + 1) - vector;
      const int64_t column = vector * kLanes;
      tile.panel = operands.packed + form.OffsetOf(b, panel);
      tile.next = panel + 1 < block.last_panel ? operands.packed + form.OffsetOf(b, panel + 1)
                  : !tile.last ? operands.packed + form.OffsetOf(b + 1, block.first_panel)
                               : operands.packed + form.OffsetOf(0, block.next_panel);
      tile.columns = std::min(vectors * kLanes, product.columns - column);
      tile.bias = operands.bias == nullptr ? nullptr : operands.bias + column;
      tile.add = operands.add == nullptr ? nullptr
                                         : operands.add + block.first_row * tile.add_step + column;
      tile.y = operands.y + block.first_row * tile.y_step + column;
      if (vectors == 3) {
        MultiplyRows<3>(tile, block.rows);
      } else if (vectors == 2) {
        MultiplyRows<2>(tile, block.rows);
      } else {
        MultiplyRows<1>(tile, block.rows);
      }
    }
  }
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {
namespace {

constexpr int64_t kFloatBytes = sizeof(float);

}  // namespace

HWY_EXPORT(Lanes);
HWY_EXPORT(Multiply);

int64_t PanelLanes() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }

int64_t PanelProduct::packed_floats() const {
  const PanelForm form(*this, PanelLanes());
  return depth * form.vectors * form.lanes;
}

int64_t PanelProduct::panels() const { return PanelForm(*this, PanelLanes()).panels; }

int64_t PanelProduct::FirstColumn(int64_t panel) const {
  const PanelForm form(*this, PanelLanes());
  return std::min(columns, form.FirstVector(panel) * form.lanes);
}

void PanelProduct::Pack(const float* weights, bool transposed, float* packed) const {
  const PanelForm form(*this, PanelLanes());
  for (int64_t b = 0; b < form.blocks; ++b) {
    for (int64_t panel = 0; panel < form.panels; ++panel) {
      const int64_t column = form.FirstVector(panel) * form.lanes;
      const int64_t width = form.FirstVector(panel + 1) * form.lanes - column;
      const int64_t count = std::min(width, columns - column);
      const int64_t first = form.FirstDepth(b);
      const int64_t rows = form.FirstDepth(b + 1) - first;
      float* to = packed + form.OffsetOf(b, panel);
      if (transposed) {
        if (count < width) std::fill_n(to, rows * width, 0.0f);
        TransposeTile(reinterpret_cast<const char*>(weights + column * depth + first),
                      depth * kFloatBytes, reinterpret_cast<char*>(to), width * kFloatBytes, rows,
                      count, kFloatBytes);
      } else {
        for (int64_t k = 0; k < rows; ++k, to += width) {
          std::copy_n(weights + (first + k) * columns + column, count, to);
          std::fill_n(to + count, width - count, 0.0f);
        }
      }
    }
  }
}

void PanelProduct::Unpack(const float* packed, int64_t column, float* to) const {
  const PanelForm form(*this, PanelLanes());
  const int64_t vector = column / form.lanes;
  int64_t panel = std::min(form.panels - 1, vector / PanelForm::kPanelVectors);
  if (form.FirstVector(panel + 1) <= vector) ++panel;
  const int64_t first = form.FirstVector(panel);
  const int64_t width = (form.FirstVector(panel + 1) - first) * form.lanes;
  for (int64_t b = 0; b < form.blocks; ++b) {
    const float* from = packed + form.OffsetOf(b, panel) + column - first * form.lanes;
    const int64_t rows = form.FirstDepth(b + 1) - form.FirstDepth(b);
    for (int64_t k = 0; k < rows; ++k, from += width) *to++ = *from;
  }
}

void MultiplyPanels(const PanelProduct& product, const PanelOperands& operands,
                    const PanelBlock& block) {
  HWY_DYNAMIC_DISPATCH(Multiply)(product, operands, block);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
