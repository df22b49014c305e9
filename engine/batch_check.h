#pragma once

#include <string>

#include "engine/engine.h"
#include "engine/sequence_packing.h"

namespace inferd {

// Runs three random rows alone and together on `slot` and compares the answers: kTested when they
// agree, else kRefused. `free_dim` is the size given to dimensions that are not fixed, other than
// dimension 0. Errors of the model itself also refuse, with their text.
BatchVerdict TestBatching(Model& model, CoreSlot& slot, int64_t free_dim);

// Decides packing for a model whose inputs are sequences, by what its graph shows and by running
// three random sequences of different lengths alone and packed on `slot`; then, unless
// `computes_padding`, whether it skips padding, by the graph and by running the three padded with
// it and without. Leaves `packing` skipping what the verdict says.
PackingVerdict TestPacking(Model& model, SequencePacking& packing, bool computes_padding,
                           CoreSlot& slot);

// A verdict as text, and back; a verdict without a reason where it is no such text.
std::string TextOf(const PackingVerdict& verdict);
PackingVerdict PackingVerdictOf(absl::string_view text);

}  // namespace inferd
