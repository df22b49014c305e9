#include "engine/providers/cpu/simd/resample_plan.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/rows_f32.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 32768;  // elements

template <typename T>
void Pick(const T* from, const int64_t* positions, int64_t count, T* to) {
  for (int64_t j = 0; j < count; ++j) to[j] = from[positions[j]];
}

template <typename T>
void Double(const T* from, int64_t count, T* to) {
  for (int64_t j = 0; j < count; ++j) to[2 * j] = to[2 * j + 1] = from[j];
}

struct Pair {
  uint64_t halves[2];
};

// Calls fn(T*) for an unsigned type of that size.
template <typename Fn>
void ForUnit(int64_t bytes, const Fn& fn) {
  switch (bytes) {
    case 1:
      return fn(static_cast<uint8_t*>(nullptr));
    case 2:
      return fn(static_cast<uint16_t*>(nullptr));
    case 4:
      return fn(static_cast<uint32_t*>(nullptr));
    case 8:
      return fn(static_cast<uint64_t*>(nullptr));
    default:
      return fn(static_cast<Pair*>(nullptr));
  }
}

}  // namespace

ResamplePlan::Axis ResamplePlan::MakeAxis(const ResampleTable& table, int64_t inputs) {
  Axis axis{table.begins, table.positions, {table.weights.begin(), table.weights.end()}};
  const int64_t outputs = static_cast<int64_t>(table.begins.size()) - 1;
  const bool single = static_cast<int64_t>(table.positions.size()) == outputs;
  axis.identity = single && outputs == inputs;
  axis.doubles = single && outputs == 2 * inputs;
  for (int64_t j = 0; single && j < outputs; ++j) {
    axis.identity &= axis.positions[j] == j && axis.weights[j] == 1.0f;
    axis.doubles &= axis.positions[j] == j / 2;
  }
  return axis;
}

ResamplePlan::ResamplePlan(const Sizes& sizes, const ResampleTable& rows, const ResampleTable& cols)
    : sizes_(sizes), rows_(MakeAxis(rows, sizes.in_rows)), cols_(MakeAxis(cols, sizes.in_cols)) {}

void ResamplePlan::CopyRow(const char* from, char* to, int64_t element_bytes) const {
  const int64_t bytes = sizes_.inner * element_bytes;
  if (cols_.identity) {
    std::memcpy(to, from, sizes_.out_cols * bytes);
    return;
  }
  if (sizes_.inner > 1) {
    for (int64_t j = 0; j < sizes_.out_cols; ++j) {
      std::memcpy(to + j * bytes, from + cols_.positions[j] * bytes, bytes);
    }
    return;
  }
  ForUnit(bytes, [&](auto* unit) {
    using T = std::remove_pointer_t<decltype(unit)>;
    const T* source = reinterpret_cast<const T*>(from);
    T* target = reinterpret_cast<T*>(to);
    if (cols_.doubles) {
      Double(source, sizes_.in_cols, target);
    } else {
      Pick(source, cols_.positions.data(), sizes_.out_cols, target);
    }
  });
}

void ResamplePlan::RunNearest(const void* x, void* y, int64_t element_bytes, int threads) const {
  const char* source = static_cast<const char*>(x);
  char* target = static_cast<char*>(y);
  const int64_t in_row = sizes_.in_cols * sizes_.inner * element_bytes;
  const int64_t out_row = sizes_.out_cols * sizes_.inner * element_bytes;
  if (out_row == 0) return;
  const int64_t min_rows = kMinPerThread * element_bytes / out_row + 1;
  ParallelRanges(threads, sizes_.outer * sizes_.out_rows, min_rows, 1,
                 [&](int64_t begin, int64_t end) {
                   const char* last = nullptr;
                   for (int64_t i = begin; i < end; ++i) {
                     const int64_t row = rows_.positions[i % sizes_.out_rows];
                     const int64_t image = i / sizes_.out_rows;
                     const char* from = source + (image * sizes_.in_rows + row) * in_row;
                     char* to = target + i * out_row;
                     if (from == last) {
                       std::memcpy(to, to - out_row, out_row);
                     } else {
                       CopyRow(from, to, element_bytes);
                     }
                     last = from;
                   }
                 });
}

int64_t ResamplePlan::scratch_bytes(int threads) const {
  return std::max(1, threads) * sizes_.in_cols * sizes_.inner * static_cast<int64_t>(sizeof(float));
}

void ResamplePlan::SumRow(const float* from, float* to) const {
  const int64_t inner = sizes_.inner;
  for (int64_t j = 0; j < sizes_.out_cols; ++j) {
    const int64_t begin = cols_.begins[j];
    const int64_t end = cols_.begins[j + 1];
    if (inner == 1) {
      float sum = 0.0f;
      for (int64_t t = begin; t < end; ++t) sum += cols_.weights[t] * from[cols_.positions[t]];
      to[j] = sum;
      continue;
    }
    const float* terms[kMaxTerms];
    for (int64_t t = begin; t < end; ++t) terms[t - begin] = from + cols_.positions[t] * inner;
    WeightedSumF32(terms, cols_.weights.data() + begin, end - begin, to + j * inner, inner);
  }
}

void ResamplePlan::RunWeighted(const float* x, float* y, void* scratch, int threads) const {
  const int64_t in_row = sizes_.in_cols * sizes_.inner;
  const int64_t out_row = sizes_.out_cols * sizes_.inner;
  if (out_row == 0) return;
  ParallelParts(threads, sizes_.outer * sizes_.out_rows, kMinPerThread / out_row + 1, 1,
                [&](int part, int64_t first, int64_t last) {
                  float* blended = static_cast<float*>(scratch) + part * in_row;
                  for (int64_t i = first; i < last; ++i) {
                    const int64_t row = i % sizes_.out_rows;
                    const float* image = x + i / sizes_.out_rows * sizes_.in_rows * in_row;
                    const int64_t begin = rows_.begins[row];
                    const int64_t end = rows_.begins[row + 1];
                    const float* terms[kMaxTerms];
                    for (int64_t t = begin; t < end; ++t) {
                      terms[t - begin] = image + rows_.positions[t] * in_row;
                    }
                    float* to = y + i * out_row;
                    WeightedSumF32(terms, rows_.weights.data() + begin, end - begin,
                                   cols_.identity ? to : blended, in_row);
                    if (!cols_.identity) SumRow(blended, to);
                  }
                });
}

}  // namespace inferd::cpu
