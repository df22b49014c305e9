#include "engine/ops/axis_lines.h"

namespace inferd {

absl::Status InferAlongAxis(InferContext& context) {
  if (context.shape(0).has_rank()) {
    const int64_t axis = context.attributes().Int("axis", -1);
    RETURN_IF_ERROR(NormalizeAxis(axis, context.shape(0).rank()).status());
  }
  return InferSameAsFirst(context);
}

}  // namespace inferd
