#pragma once

#include "engine/engine.h"

namespace inferd {

// Runs three random rows alone and together on `slot` and compares the answers: kTested when they
// agree, else kRefused. `free_dim` is the size given to dimensions that are not fixed, other than
// dimension 0. Errors of the model itself also refuse, with their text.
BatchVerdict TestBatching(Model& model, CoreSlot& slot, int64_t free_dim);

// Runs three random sequences of different lengths alone and packed on `slot`, and compares
// likewise. Requires a model whose graph can be packed.
PackingVerdict TestPacking(Model& model, CoreSlot& slot);

}  // namespace inferd
