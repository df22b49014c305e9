#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/graph/op_def.h"
#include "engine/plan/body.h"
#include "engine/plan/plan.h"
#include "engine/providers/device.h"

namespace inferd {
namespace {

std::string WhereText(const Plan& plan, int device) {
  return device < 0 ? "" : absl::StrCat(":", plan.devices[device].device->name());
}

std::string StorageText(const Plan& plan, ValueId id) {
  if (id == kNoValue) return "-";
  const ValueStorage& storage = plan.values[id];
  const std::string layout =
      storage.tensor.layout() == Layout::kChannelsLast ? " channels-last" : "";
  switch (storage.kind) {
    case StorageKind::kConstant:
      return absl::StrCat("%", id, ":constant ", storage.tensor.TypeString());
    case StorageKind::kInput:
      return absl::StrCat("%", id, ":input", storage.input, " ", storage.tensor.TypeString());
    case StorageKind::kArena:
      return absl::StrCat("%", id, "@", storage.offset, WhereText(plan, storage.device), " ",
                          storage.tensor.TypeString(), layout);
    case StorageKind::kDynamic:
      return absl::StrCat("%", id, ":dynamic");
    case StorageKind::kNone:
      break;
  }
  return absl::StrCat("%", id);
}

}  // namespace

std::string Plan::ToString() const {
  std::string text = absl::StrFormat("plan: %d steps, arena %d bytes (scratch from %d)\n",
                                     steps.size(), arena_bytes, scratch_offset);
  for (const PlanDevice& device : devices) {
    absl::StrAppendFormat(&text, "  on %s: arena %d bytes (scratch from %d)\n",
                          std::string(device.device->name()), device.arena_bytes,
                          device.scratch_offset);
  }
  for (const Step& step : steps) {
    absl::StrAppendFormat(&text, "  %-24s %-10s %-32s", std::string(step.op->name), step.provider,
                          step.kernel ? step.kernel->description() : "control flow");
    for (ValueId output : step.outputs) absl::StrAppend(&text, " ", StorageText(*this, output));
    if (step.input_step > 0) absl::StrAppend(&text, " from rows ", step.input_step, " apart");
    if (step.output_step > 0) absl::StrAppend(&text, " in rows ", step.output_step, " apart");
    absl::StrAppend(&text, "  # ", step.name, "\n");
    for (const auto& [name, body] : step.bodies) {
      absl::StrAppend(&text, "  body ", name, " of ", step.name, ":\n", body->ToString());
    }
  }
  for (ValueId output : outputs) {
    absl::StrAppend(&text, "  output ", StorageText(*this, output), "\n");
  }
  return text;
}

}  // namespace inferd
