#pragma once

#include <cstdint>

#include "engine/ops/strided_attention.h"

namespace inferd::cpu {

// Where one attention finds its operands; `bias` and `mask` are null where absent. Q, K and V are
// floats, or where `narrow_inputs` is set bfloat16; Y likewise.
struct AttentionOperands {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  const float* bias = nullptr;
  const bool* mask = nullptr;
  void* y = nullptr;
  bool narrow_inputs = false;
  bool narrow_output = false;
};

// The work is cut into tiles of query rows, those of a head after each other, heads in order.
int64_t AttentionTiles(const StridedAttention& attention, bool narrow_inputs);
// What AttentionF32 needs to itself in each thread.
int64_t AttentionScratchFloats(const StridedAttention& attention, bool narrow_inputs);

// Tiles [begin, end). K and V of a head are packed into `scratch` once for all of its tiles in the
// range; scores never leave the cache: a softmax that goes over blocks of keys as they come. Keys
// that no row of a tile sees, behind or before those that are seen, are left out. Narrow inputs are
// multiplied in tile registers where the processor has them, with the exponentials rounded to
// bfloat16, else as floats.
void AttentionF32(const StridedAttention& attention, const AttentionOperands& operands,
                  int64_t begin, int64_t end, float* scratch);

}  // namespace inferd::cpu
