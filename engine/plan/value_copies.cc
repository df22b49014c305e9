#include "engine/plan/value_copies.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_registry.h"
#include "engine/plan/copy_kernel.h"
#include "engine/plan/device_weights.h"
#include "engine/providers/device.h"

namespace inferd {

absl::StatusOr<ValueId> ValueCopies::In(int device, ValueId id) {
  if (id == kNoValue || plan_.values[id].device == device) return id;
  if (const auto it = copies_.find({device, id}); it != copies_.end()) return it->second;
  ValueId copy = kNoValue;
  const ValueId origin = OriginOf(id);
  // A part that begins where no value on the device may goes there alone.
  const bool with_origin = origin != id && (device < 0 || starts_[id] % kDeviceValueAlignment == 0);
  if (plan_.values[id].kind == StorageKind::kConstant) {
    ASSIGN_OR_RETURN(copy, Upload(device, id));
  } else if (with_origin) {
    ASSIGN_OR_RETURN(const ValueId copied, In(device, origin));
    ValueStorage view = plan_.values[copied];
    view.tensor = plan_.values[id].tensor;
    copy = AddValue(std::move(view), copied);
    starts_[copy] = starts_[id];
  } else if (device >= 0 && plan_.values[id].device >= 0) {
    ASSIGN_OR_RETURN(const ValueId on_host, In(-1, id));
    ASSIGN_OR_RETURN(copy, In(device, on_host));
  } else {
    copy = Copy(device, id);
  }
  return copies_[{device, id}] = copy;
}

ValueId ValueCopies::OriginOf(ValueId id) const {
  const ValueStorage& storage = plan_.values[id];
  if (storage.kind == StorageKind::kInput) return plan_.inputs[storage.input];
  return roots_[id] == kNoValue ? id : roots_[id];
}

ValueId ValueCopies::AddValue(ValueStorage storage, ValueId root) {
  const auto id = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(std::move(storage));
  roots_.push_back(root);
  starts_.push_back(0);
  return id;
}

absl::StatusOr<ValueId> ValueCopies::Upload(int device, ValueId id) {
  if (weights_ == nullptr) {
    return absl::InternalError("a constant goes to a device without DeviceWeights");
  }
  const Tensor constant = plan_.values[id].tensor;
  ASSIGN_OR_RETURN(std::shared_ptr<const void> data,
                   weights_->GetOrUpload(*plan_.devices[device].device, constant));
  ValueStorage storage;
  storage.kind = StorageKind::kConstant;
  storage.device = device;
  const void* address = data.get();
  storage.tensor =
      Tensor::View(constant.dtype(), constant.shape(), address, std::move(data), constant.layout());
  return AddValue(std::move(storage), kNoValue);
}

ValueId ValueCopies::Copy(int device, ValueId id) {
  const bool of_input = plan_.values[id].kind == StorageKind::kInput;
  ValueStorage storage;
  storage.kind = StorageKind::kArena;
  storage.device = device;
  storage.tensor = plan_.values[id].tensor;
  const auto copy = static_cast<ValueId>(plan_.values.size());
  AddValue(std::move(storage), copy);
  Step step;
  step.device = std::max(device, plan_.values[id].device);
  step.name = absl::StrCat("copy of %", id);
  step.op = &OpRegistry::Builtin().Get("inferd", "Copy");
  step.provider = std::string(plan_.devices[step.device].device->name());
  step.kernel = std::make_unique<CopyKernel>(device >= 0);
  step.inputs = {id};
  step.num_op_inputs = 1;
  step.outputs = {copy};
  (of_input ? of_inputs_ : plan_.steps).push_back(std::move(step));
  return copy;
}

void ValueCopies::Finish() {
  plan_.steps.insert(plan_.steps.begin(), std::make_move_iterator(of_inputs_.begin()),
                     std::make_move_iterator(of_inputs_.end()));
  of_inputs_.clear();
  std::set<ValueId> on_their_way;  // to the host
  for (Step& step : plan_.steps) {
    // Copies to a device of what came from another one, too.
    step.waits = std::any_of(step.inputs.begin(), step.inputs.end(), [&](ValueId input) {
      return input != kNoValue && on_their_way.contains(roots_[input]);
    });
    if (step.waits) on_their_way.clear();
    for (ValueId output : step.outputs) {
      const bool to_host =
          step.device >= 0 && output != kNoValue && plan_.values[output].device < 0;
      if (to_host) on_their_way.insert(output);
    }
  }
}

}  // namespace inferd
