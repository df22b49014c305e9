#pragma once

#include <cstdint>

#include "engine/providers/cpu/simd/gate_product.h"

namespace inferd::cpu {

enum class GateFunction : uint8_t { kSigmoid, kTanh, kRelu, kHardSigmoid };

struct GateActivation {
  GateFunction function = GateFunction::kSigmoid;
  float alpha = 0.2f;  // of the hard sigmoid
  float beta = 0.5f;
};

// What one step of a recurrent layer does to one row beside its products. A value type; it borrows
// the peepholes.
struct RecurrentCell {
  GateActivation activations[3];     // f, g and, for the LSTM, h of the standard
  const float* peepholes = nullptr;  // of input, output and forget, a gate's stride apart; or null
  float clip = 0;                    // 0: none
  bool input_forget = false;
};

// Rows of gates are the sum of `x` and `h`: what the input and the old state add to them.

// Gates input, output, forget, cell. Updates the states c and y, rows of layout.stride.
void RunLstmCell(const GateLayout& layout, const RecurrentCell& cell, const float* x,
                 const float* h, float* c, float* y);
void RunRnnCell(const GateLayout& layout, const RecurrentCell& cell, const float* x, const float* h,
                float* y);

// Gates update, reset, hidden. The first writes the update and reset gates over those of `h` and
// the second, given that, the new state y. Between the two the hidden gate's part of `h` may be
// computed again from reset * y, which `reset_y` gets unless it is null; with `linear` the second
// multiplies that part by the reset gate itself.
void RunGruGates(const GateLayout& layout, const RecurrentCell& cell, const float* x, float* h,
                 const float* y, float* reset_y);
void RunGruState(const GateLayout& layout, const RecurrentCell& cell, bool linear, const float* x,
                 const float* h, float* y);

}  // namespace inferd::cpu
