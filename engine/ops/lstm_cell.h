#pragma once

#include <cstdint>
#include <vector>

#include "engine/ops/recurrent.h"

namespace inferd {

// What LSTM and its quantized forms have in common.

inline RecurrentKind LstmKind() {
  return {.gates = 4, .states = 2, .default_activations = {"Sigmoid", "Tanh", "Tanh"}};
}

// The next states of a batch from the products `gates` [N,4*H] = x W + h R without bias. Gates lie
// in the order input, output, forget, cell; states[0] is H [N,H], states[1] is C.
template <typename Acc>
void ApplyLstmCell(bool input_forget, const RecurrentDirection<Acc>& direction, int64_t batch,
                   int64_t hidden, const std::vector<Acc>& gates,
                   std::vector<std::vector<Acc>>* states) {
  std::vector<Acc>& h = (*states)[0];
  std::vector<Acc>& c = (*states)[1];
  const RecurrentActivation& f = direction.activations[0];
  const RecurrentActivation& g = direction.activations[1];
  const RecurrentActivation& squash = direction.activations[2];
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t j = 0; j < hidden; ++j) {
      const auto gate = [&](int64_t k) {
        const int64_t at = k * hidden + j;
        return gates[n * 4 * hidden + at] + direction.w_bias[at] + direction.r_bias[at];
      };
      const auto peephole = [&](int64_t k) { return direction.peepholes[k * hidden + j]; };
      Acc& cell = c[n * hidden + j];
      const double input = f(direction.Clip(gate(0) + peephole(0) * cell));
      const double forget =
          input_forget ? 1 - input : f(direction.Clip(gate(2) + peephole(2) * cell));
      const double candidate = g(direction.Clip(gate(3)));
      cell = static_cast<Acc>(forget * cell + input * candidate);
      const double output = f(direction.Clip(gate(1) + peephole(1) * cell));
      h[n * hidden + j] = static_cast<Acc>(output * squash(cell));
    }
  }
}

}  // namespace inferd
