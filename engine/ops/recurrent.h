#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// What LSTM, GRU and RNN have in common. Inputs 0 to 5 are X [S,N,I], W [D,G*H,I], R [D,G*H,H],
// B [D,2*G*H], sequence_lens [N] and initial_h [D,N,H]; with layout 1 X is [N,S,I], states [N,D,H].

// How one operator differs. Immutable.
struct RecurrentKind {
  int gates = 1;
  int states = 1;                                // outputs behind Y: Y_h, Y_c
  std::vector<std::string> default_activations;  // of one direction
};

RecurrentKind LstmKind();  // gates input, output, forget, cell
RecurrentKind GruKind();   // gates update, reset, hidden
RecurrentKind RnnKind();

// An activation as the attributes give it.
struct RecurrentActivationSpec {
  std::string given;  // its name there, in any case
  std::string name;   // in lower case
  std::optional<float> alpha;
  std::optional<float> beta;
};
// The activations of all directions, one after another; INVALID_ARGUMENT for a wrong number.
absl::StatusOr<std::vector<RecurrentActivationSpec>> ReadActivationSpecs(
    const Attributes& attributes, const RecurrentKind& kind, int directions);

// A function of one number.
using RecurrentActivation = std::function<double(double)>;

struct RecurrentShape {
  Dim sequence;  // S
  Dim batch;     // N
  Dim input;     // I
  Dim hidden;    // H
  int directions = 1;
  bool batch_first = false;
};
// INVALID_ARGUMENT naming the input whose shape does not fit, or an unknown direction or layout.
absl::StatusOr<RecurrentShape> ResolveRecurrent(const Attributes& attributes,
                                                const RecurrentKind& kind, const SymbolicShape& x,
                                                const SymbolicShape& w, const SymbolicShape& r);
// How many steps each of the batch's sequences has; all of them when `lengths` is null.
// INVALID_ARGUMENT for one that X does not have. Requires concrete dimensions.
absl::StatusOr<std::vector<int64_t>> SequenceLengths(const Tensor* lengths,
                                                     const RecurrentShape& shape);
// The shape rule: Y [S,D,N,H] and states [D,N,H], or [N,S,D,H] and [N,D,H].
absl::Status InferRecurrent(InferContext& context, const RecurrentKind& kind);

// One direction's weights as accumulators, transposed, and its activations.
template <typename Acc>
struct RecurrentDirection {
  std::vector<Acc> w;          // [I,G*H]
  std::vector<Acc> r;          // [H,G*H]
  std::vector<Acc> w_bias;     // [G*H]
  std::vector<Acc> r_bias;     // [G*H]
  std::vector<Acc> peepholes;  // [3*H], zeros when absent
  std::vector<RecurrentActivation> activations;
  double clip = 0;  // 0: none

  double Clip(double value) const {
    return clip > 0 ? (value < -clip ? -clip : value > clip ? clip : value) : value;
  }
};

// Computes the next states of a batch from x W (without bias) [N,G*H]: states[0] is H [N,H],
// states[1] is C. Called for every step; the caller keeps old states of rows that have ended.
template <typename Acc>
using RecurrentStep =
    std::function<void(const RecurrentDirection<Acc>& direction, int64_t batch, int64_t hidden,
                       const Acc* xw, std::vector<std::vector<Acc>>* states)>;

// The portable kernel for float types around the operator's step.
absl::Status ComputeRecurrent(KernelContext& context, const RecurrentKind& kind,
                              const RecurrentStep<float>& float_step,
                              const RecurrentStep<double>& double_step);

}  // namespace inferd
