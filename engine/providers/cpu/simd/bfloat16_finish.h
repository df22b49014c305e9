#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "engine/core/float16.h"
#include "engine/graph/graph.h"

namespace inferd::cpu {

// A function of sums that are rounded to bfloat16 afterwards, and is computed about eight times as
// exactly as that.
struct RoundedActivation {
  enum class Kind : uint8_t { kNone, kSwish, kHardSwish };
  // That of an epilogue's step; nullopt where it is none.
  static std::optional<RoundedActivation> Of(const EpilogueStep& step);

  Kind kind = Kind::kNone;
  float alpha = 1;  // Swish: x sigmoid(alpha x)
};

// What becomes of sums in tile registers: y = min(max(f(sums + bias) + add, low), high), where y
// and add are each bfloat16 or float. Pointers are to the column of y that the sums begin with.
// Only where ComputesBfloat16().
struct FinishedRows {
  RoundedActivation activation;  // none where y is float
  const float* bias = nullptr;   // of kTileStep columns at most, null: none
  const void* add = nullptr;     // null: none
  void* y = nullptr;
  bool narrow_add = true;
  bool narrow = true;
  int64_t row = 0;  // elements between rows of y and of add
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// `rows` rows of kTileStep sums, of which `columns` are finished. Fetches the rows of y and of add
// that are kTileProductRows ahead.
void FinishRows(const float* sums, int64_t rows, int64_t columns, const FinishedRows& finished);

// y[i] = f(x[i]). Only where ComputesBfloat16().
void ActivateToBfloat16(const RoundedActivation& activation, const float* x, int64_t count,
                        Bfloat16* y);

// Adds `bias` to rows of kTileStep sums.
void AddBias(const float* bias, int64_t rows, int64_t columns, float* sums);

}  // namespace inferd::cpu
