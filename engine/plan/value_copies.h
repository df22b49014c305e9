#pragma once

#include <map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/plan/plan.h"

namespace inferd {

class DeviceWeights;

// The values of a plan in the making that cross between memories: each is copied once, by a step in
// front of its first reader; model inputs before all other steps. Used by one thread, once.
class ValueCopies {
 public:
  // `roots`: of arena values the value that owns the block, through views, and `starts`, where in
  // it they begin in bytes; both grow with the plan's values. `weights` may be null where no value
  // goes to a device.
  ValueCopies(Plan& plan, std::vector<ValueId>& roots, std::vector<int64_t>& starts,
              DeviceWeights* weights)
      : plan_(plan), roots_(roots), starts_(starts), weights_(weights) {}

  // The value that holds what `id` does in the memory of `device` (-1: the host's): itself, a
  // constant uploaded, or a copy.
  absl::StatusOr<ValueId> In(int device, ValueId id);

  // After the last step: puts the copies of inputs in front and marks the steps that wait.
  void Finish();

 private:
  // What `id` is a view of, as far as it was planned: an input or a block of an arena.
  ValueId OriginOf(ValueId id) const;
  ValueId AddValue(ValueStorage storage, ValueId root);
  absl::StatusOr<ValueId> Upload(int device, ValueId id);
  ValueId Copy(int device, ValueId id);

  Plan& plan_;
  std::vector<ValueId>& roots_;
  std::vector<int64_t>& starts_;
  DeviceWeights* const weights_;
  std::map<std::pair<int, ValueId>, ValueId> copies_;
  std::vector<Step> of_inputs_;
};

}  // namespace inferd
