#include "engine/providers/cuda/converted_constant.h"

#include "absl/strings/str_cat.h"
#include "engine/ops/cast.h"
#include "engine/plan/device_weights.h"
#include "engine/providers/cuda/node_checks.h"

namespace inferd::cuda {

bool IsOrBecomes(const Graph& graph, ValueId value, DType type) {
  const DType own = DTypeOf(graph, value);
  return own == type ||
         (own == DType::kFloat32 && IsFloatType(type) && graph.constant(value) != nullptr);
}

absl::StatusOr<std::shared_ptr<const void>> ConvertedConstant(const Tensor& constant, DType type,
                                                              const CudaPrepareContext& context) {
  const auto convert = [&](void* to) {
    Tensor converted = Tensor::View(type, constant.shape(), to);
    return CastElements(constant, &converted);
  };
  return context.device_weights->GetOrPack(*context.device, constant,
                                           absl::StrCat("as ", DTypeName(type)),
                                           constant.num_elements() * ElementBytes(type), convert);
}

}  // namespace inferd::cuda
