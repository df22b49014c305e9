#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/plan/plan.h"

namespace inferd {

// Gives the arena values of a plan whose steps are complete their offsets, in one arena a memory,
// sets the arenas' sizes and puts the steps' scratch behind the values. Values whose times do not
// meet share bytes, and a step that may writes over an input that nobody reads after it. `roots`:
// by value the one that owns its block, through views, in the same memory (kNoValue: not in an
// arena); `starts`: where in that block the value begins, in bytes. RESOURCE_EXHAUSTED when an
// arena would be larger than `max_arena_bytes`.
absl::Status PlaceInArenas(const std::vector<ValueId>& roots, const std::vector<int64_t>& starts,
                           int64_t max_arena_bytes, Plan* plan);

}  // namespace inferd
