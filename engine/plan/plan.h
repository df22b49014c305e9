#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/graph/graph.h"
#include "engine/providers/execution_provider.h"

namespace inferd {

// Where a value of a plan lives while it runs.
enum class StorageKind : uint8_t {
  kNone,      // not used by any step
  kConstant,  // in the plan
  kInput,     // the caller's tensor, maybe under another shape
  kArena,     // at an offset of an arena: the slot's or the executor's on a device
  kDynamic,   // a tensor made while running: its shape is not known before
};

struct ValueStorage {
  StorageKind kind = StorageKind::kNone;
  int input = -1;      // kInput: which of the model's inputs
  int64_t offset = 0;  // kArena, in bytes
  int device = -1;     // index into Plan::devices; -1: host memory
  Tensor tensor;       // the constant, or dtype, shape and layout without data
};

class Body;

// One thing to do. Kernel steps run `kernel`; control flow steps run `bodies`.
struct Step {
  std::string name;  // of the node
  const OpDef* op = nullptr;
  std::string provider;
  Attributes attributes;
  std::unique_ptr<BoundKernel> kernel;
  std::vector<std::pair<std::string, std::shared_ptr<const Body>>> bodies;  // by attribute name
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  int num_op_inputs = 0;   // of `inputs`: the rest belong to the epilogue
  int num_captured = 0;    // of `inputs`: see Node::num_captured
  bool dynamic = false;    // its outputs are kDynamic
  int device = -1;         // index into Plan::devices: gives its work there; -1: runs at once
  int64_t input_step = 0;  // see StepContext
  int64_t output_step = 0;
  bool waits = false;  // reads what was copied from a device and must be there
};

// What a plan needs of one device.
struct PlanDevice {
  Device* device = nullptr;
  int64_t arena_bytes = 0;  // values and, behind them, scratch
  int64_t scratch_offset = 0;
};

// The immutable result of compiling a graph for one binding of its input shapes: steps in order,
// the storage of every value and the size of the arena. Immutable.
class Plan {
 public:
  std::vector<Step> steps;
  std::vector<ValueStorage> values;  // by ValueId
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;     // in host memory
  std::vector<PlanDevice> devices;  // those with steps; copies are steps of theirs
  int64_t arena_bytes = 0;          // values and, behind them, scratch
  int64_t scratch_offset = 0;       // where the steps' scratch begins
  int64_t limit_bytes = 0;          // what any one dynamic tensor may take

  // The index of `device` in `devices`, where it is added if need be.
  int AddDevice(Device* device);

  // Steps with providers and kernels, the storage of their outputs, and the arena's size.
  std::string ToString() const;
};

}  // namespace inferd
