#include "engine/ops/bias_activation.h"

#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/type_check.h"

namespace inferd {

absl::Status InferBiasActivation(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1}));
  const SymbolicShape& x = context.shape(0);
  if (context.has_input(1) && x.has_rank()) {
    const Dim columns = x.rank() == 0 ? Dim(1) : x[x.rank() - 1];
    RETURN_IF_ERROR(CheckChannelVector("bias", context.shape(1), columns));
  }
  context.SetOutput(0, context.input_type(0));
  return absl::OkStatus();
}

}  // namespace inferd
