#include "engine/plan/arena_placement.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/rounding.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/plan/memory_planner.h"
#include "engine/providers/device.h"

namespace inferd {
namespace {

// Places the values of one plan. Used by one thread, once.
class ArenaPlacement {
 public:
  ArenaPlacement(const std::vector<ValueId>& roots, const std::vector<int64_t>& starts,
                 int64_t max_arena_bytes, Plan* plan)
      : roots_(roots),
        starts_(starts),
        max_arena_bytes_(max_arena_bytes),
        plan_(plan),
        last_(plan->values.size(), -1),
        block_(plan->values.size(), -1),
        block_start_(plan->values.size(), 0),
        requests_(plan->devices.size() + 1),
        scratch_bytes_(plan->devices.size() + 1, 0) {}

  absl::Status Run() {
    FindLastUses();
    for (size_t s = 0; s < plan_->steps.size(); ++s) {
      const Step& step = plan_->steps[s];
      if (step.kernel) {
        int64_t& most = scratch_bytes_[step.device + 1];
        most = std::max(most, step.kernel->scratch_bytes());
      }
      if (!step.dynamic) RequestBlocks(static_cast<int>(s));
    }
    for (size_t memory = 0; memory < requests_.size(); ++memory) {
      RETURN_IF_ERROR(PlaceIn(static_cast<int>(memory) - 1));
    }
    return absl::OkStatus();
  }

 private:
  // The last step that reads each root; outputs of the graph live to the end.
  void FindLastUses() {
    const int steps = static_cast<int>(plan_->steps.size());
    for (int s = 0; s < steps; ++s) {
      for (const auto* ids : {&plan_->steps[s].inputs, &plan_->steps[s].outputs}) {
        for (ValueId id : *ids) {
          if (id != kNoValue && roots_[id] != kNoValue) last_[roots_[id]] = s;
        }
      }
    }
    for (ValueId id : plan_->outputs) {
      if (roots_[id] != kNoValue) last_[roots_[id]] = steps;
    }
  }

  int64_t ReadsOfRoot(const Step& step, ValueId root) const {
    return std::count_if(step.inputs.begin(), step.inputs.end(),
                         [&](ValueId input) { return input != kNoValue && roots_[input] == root; });
  }

  // The input whose storage a step may write its output into.
  ValueId InPlaceInput(const Step& step, int index) const {
    if (step.outputs.size() != 1) return kNoValue;
    const bool elementwise = step.op->op_class == OpClass::kElementwise;
    const Tensor& output = plan_->values[step.outputs[0]].tensor;
    for (int i = 0; i < static_cast<int>(step.inputs.size()); ++i) {
      // Operands of the epilogue of an elementwise step are read after the kernel has written.
      const bool may =
          elementwise ? i < step.num_op_inputs : step.kernel && step.kernel->writes_over_input(i);
      if (!may || (i == 0 && step.input_step > 0)) continue;
      const ValueId input = step.inputs[i];
      if (input == kNoValue || roots_[input] == kNoValue || last_[roots_[input]] != index) continue;
      // Read twice, the second time maybe by an epilogue after the kernel has written: x + 3, then
      // *x.
      if (ReadsOfRoot(step, roots_[input]) > 1) continue;
      const Tensor& tensor = plan_->values[input].tensor;
      if (tensor.shape() == output.shape() && tensor.dtype() == output.dtype() &&
          tensor.layout() == output.layout()) {
        return input;
      }
    }
    return kNoValue;
  }

  void RequestBlocks(int index) {
    const Step& step = plan_->steps[index];
    const ValueId shared = InPlaceInput(step, index);
    for (ValueId output : step.outputs) {
      if (output == kNoValue) continue;
      const ValueId root = roots_[output];
      if (block_[root] >= 0) continue;  // a part of what another step began to write
      const int lives_to = std::max(last_[root], index);
      std::vector<BlockRequest>& blocks = requests_[plan_->values[root].device + 1];
      if (shared != kNoValue && root == output) {
        block_[output] = block_[roots_[shared]];
        block_start_[output] = block_start_[roots_[shared]] + starts_[shared];
        blocks[block_[output]].last = lives_to;
        continue;
      }
      block_[root] = static_cast<int>(blocks.size());
      blocks.push_back({plan_->values[root].tensor.byte_size(), index, lives_to});
    }
  }

  absl::Status PlaceIn(int device) {
    const MemoryLayout layout = PlanMemory(requests_[device + 1]);
    for (size_t id = 0; id < plan_->values.size(); ++id) {
      ValueStorage& value = plan_->values[id];
      const ValueId root = roots_[id];
      if (root == kNoValue || value.device != device) continue;
      value.offset = layout.offsets[block_[root]] + block_start_[root] + starts_[id];
    }
    const int64_t scratch_offset =
        device < 0 ? layout.bytes : RoundUp(layout.bytes, kDeviceAlignment);
    const int64_t bytes = scratch_offset + scratch_bytes_[device + 1];
    if (bytes > max_arena_bytes_) {
      const std::string where =
          device < 0 ? "" : absl::StrCat(" on ", plan_->devices[device].device->name());
      return absl::ResourceExhaustedError(absl::StrCat("these input shapes need an arena", where,
                                                       " of ", bytes, " bytes; the limit is ",
                                                       max_arena_bytes_));
    }
    (device < 0 ? plan_->scratch_offset : plan_->devices[device].scratch_offset) = scratch_offset;
    (device < 0 ? plan_->arena_bytes : plan_->devices[device].arena_bytes) = bytes;
    return absl::OkStatus();
  }

  const std::vector<ValueId>& roots_;
  const std::vector<int64_t>& starts_;
  const int64_t max_arena_bytes_;
  Plan* const plan_;
  std::vector<int> last_;             // by root: the last step that reads it
  std::vector<int> block_;            // by root: which block of its memory
  std::vector<int64_t> block_start_;  // likewise: where in the block
  // By memory, the host's first.
  std::vector<std::vector<BlockRequest>> requests_;
  std::vector<int64_t> scratch_bytes_;
};

}  // namespace

absl::Status PlaceInArenas(const std::vector<ValueId>& roots, const std::vector<int64_t>& starts,
                           int64_t max_arena_bytes, Plan* plan) {
  return ArenaPlacement(roots, starts, max_arena_bytes, plan).Run();
}

}  // namespace inferd
