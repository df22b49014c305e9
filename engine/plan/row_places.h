#pragma once

#include <cstdint>
#include <vector>

#include "engine/plan/plan.h"

namespace inferd {

// Lets values in host memory lie as rows of larger ones, where every step that touches them takes
// rows that are apart: what a Concat joins is written where it lies in the joined tensor, what a
// Split or Slice takes is read where it lies. Steps with nothing left to copy go. `roots` and
// `starts` are as PlaceInArenas() takes them, and are changed as the values move.
void PutRowsInPlace(Plan* plan, std::vector<ValueId>* roots, std::vector<int64_t>* starts);

}  // namespace inferd
