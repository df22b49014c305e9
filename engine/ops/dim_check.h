#pragma once

#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/shape.h"

namespace inferd {

// For operators whose inputs share dimensions: they are learned from one input and checked in the
// others.

// Takes `dim` for `*known` when that is not known; INVALID_ARGUMENT naming `what` when they differ.
absl::Status UnifyDim(absl::string_view what, const Dim& dim, Dim* known);

// UnifyDim of every dimension of `shape`, whose rank must be their count; a shape of unknown rank
// fits. Errors show the whole shape as it is and as it should be.
absl::Status MatchDims(absl::string_view name, const SymbolicShape& shape,
                       std::initializer_list<Dim*> dims);

}  // namespace inferd
