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

// As many rows as leave registers for a row of the panel and a value of x.
constexpr int MaxTileRows(int vectors) {
  if (HWY_TARGET == HWY_AVX3) return vectors == 3 ? 8 : vectors == 2 ? 12 : 16;
  return vectors == 3 ? 4 : vectors == 2 ? 6 : 8;
}

// One tile: some rows of x times one panel of one block of the depth.
struct PanelTile {
  const float* x;
  int64_t x_step;  // floats from a row to the next, of y and add `y_step`
  int64_t depth;
  const float* panel;
  const float* next;   // fetched ahead:
  int64_t next_lines;  // so many lines with every four rows of the panel
  const float* bias;   // null: not in this block
  const float* add;
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
  HWY_INLINE void AddProduct(const float* x, int64_t x_step, const RowSums<kVectors>& row) {
    others.AddProduct(x, x_step, row);
    sums.AddProduct(hn::Set(D(), x[(kRows - 1) * x_step]), row);
  }
  HWY_INLINE void Finish(const PanelTile& tile, const RowSums<kVectors>& bias, V low, V high) {
    others.Finish(tile, bias, low, high);
    const int64_t at = (kRows - 1) * tile.y_step;
    if (tile.last) {
      sums.Add(bias);
      if (tile.add != nullptr) {
        RowSums<kVectors> add;
        add.LoadSome(tile.add + at, tile.columns);
        sums.Add(add);
      }
      sums.Bound(low, high);
    }
    sums.StoreSome(tile.y + at, tile.columns);
  }
};

template <int kVectors>
struct PanelSums<0, kVectors> {
  HWY_INLINE void Start(const PanelTile&) {}
  HWY_INLINE void AddProduct(const float*, int64_t, const RowSums<kVectors>&) {}
  HWY_INLINE void Finish(const PanelTile&, const RowSums<kVectors>&, V, V) {}
};

template <int kRows, int kVectors>
HWY_INLINE void AddRow(const float* x, int64_t x_step, const float* panel,
                       PanelSums<kRows, kVectors>* sums) {
  RowSums<kVectors> row;
  row.Load(panel);
  sums->AddProduct(x, x_step, row);
}

template <int kRows, int kVectors>
HWY_NOINLINE void MultiplyTile(const PanelTile& tile) {
  constexpr int64_t kWidth = kVectors * kLanes;
  const float* x = tile.x;
  const int64_t x_step = tile.x_step;
  const float* panel = tile.panel;
  const float* next = tile.next;
  const int64_t next_lines = tile.next_lines;
  PanelSums<kRows, kVectors> sums;
  sums.Start(tile);
  int64_t k = 0;
  for (; k + 4 <= tile.depth; k += 4, x += 4, panel += 4 * kWidth) {
    for (int64_t i = 0; i < next_lines; ++i, next += kLineFloats) __builtin_prefetch(next, 0, 2);
    AddRow(x, x_step, panel, &sums);
    AddRow(x + 1, x_step, panel + kWidth, &sums);
    AddRow(x + 2, x_step, panel + 2 * kWidth, &sums);
    AddRow(x + 3, x_step, panel + 3 * kWidth, &sums);
  }
  for (; k < tile.depth; ++k, ++x, panel += kWidth) AddRow(x, x_step, panel, &sums);
  RowSums<kVectors> bias;
  bias.SetZero();
  if (tile.bias != nullptr) bias.LoadSome(tile.bias, tile.columns);
  sums.Finish(tile, bias, Const(tile.low), Const(tile.high));
}

template <int kRows, int kVectors>
HWY_INLINE void MultiplyTileOf(int64_t rows, const PanelTile& tile) {
  if (rows == kRows) {
    MultiplyTile<kRows, kVectors>(tile);
  } else if constexpr (kRows > 1) {
    MultiplyTileOf<kRows - 1, kVectors>(rows, tile);
  }
}

// All rows of a block times one panel, in tiles of about equal height.
template <int kVectors>
HWY_INLINE void MultiplyPanel(PanelTile tile, int64_t rows) {
  constexpr int kMost = MaxTileRows(kVectors);
  const PanelTile start = tile;
  const int64_t tiles = DivideUp(rows, kMost);
  const int64_t lines = DivideUp(tile.depth * kVectors * kLanes, kLineFloats);
  const int64_t lines_of_tile = DivideUp(lines, tiles);
  tile.next_lines =
      tile.next == nullptr ? 0 : DivideUp(lines_of_tile, std::max<int64_t>(1, tile.depth / 4));
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t first = rows * i / tiles;
    tile.x = start.x + first * tile.x_step;
    tile.y = start.y + first * tile.y_step;
    if (start.add != nullptr) tile.add = start.add + first * tile.y_step;
    MultiplyTileOf<kMost, kVectors>(rows * (i + 1) / tiles - first, tile);
    if (start.next != nullptr) tile.next += lines_of_tile * kLineFloats;
  }
}

void Multiply(const PanelProduct& product, const PanelOperands& operands, const PanelBlock& block) {
  const PanelForm form(product, kLanes);
  PanelTile tile{};
  tile.x_step = product.depth;
  tile.y_step = product.columns;
  tile.low = operands.low;
  tile.high = operands.high;
  for (int64_t b = 0; b < form.blocks; ++b) {
    const int64_t first_depth = form.FirstDepth(b);
    tile.depth = form.FirstDepth(b + 1) - first_depth;
    tile.x = operands.x + block.first_row * product.depth + first_depth;
    tile.first = b == 0;
    tile.last = b == form.blocks - 1;
    for (int64_t panel = block.first_panel; panel < block.last_panel; ++panel) {
      const int64_t vector = form.FirstVector(panel);
      const int64_t vectors = form.FirstVector(panel + 1) - vector;
      const int64_t column = vector * kLanes;
      const int64_t at = block.first_row * product.columns + column;
      tile.panel = operands.packed + form.OffsetOf(b, panel);
      tile.next = panel + 1 < block.last_panel ? operands.packed + form.OffsetOf(b, panel + 1)
                  : !tile.last ? operands.packed + form.OffsetOf(b + 1, block.first_panel)
                               : operands.packed + form.OffsetOf(0, block.next_panel);
      tile.columns = std::min(vectors * kLanes, product.columns - column);
      tile.bias = operands.bias == nullptr ? nullptr : operands.bias + column;
      tile.add = operands.add == nullptr ? nullptr : operands.add + at;
      tile.y = operands.y + at;
      if (vectors == 3) {
        MultiplyPanel<3>(tile, block.rows);
      } else if (vectors == 2) {
        MultiplyPanel<2>(tile, block.rows);
      } else {
        MultiplyPanel<1>(tile, block.rows);
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
