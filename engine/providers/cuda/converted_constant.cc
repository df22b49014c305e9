#include "engine/providers/cuda/converted_constant.h"

#include <string>

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

absl::StatusOr<std::shared_ptr<const void>> TransposedConstant(const Tensor& constant,
                                                               const CudaPrepareContext& context) {
  const int64_t rows = constant.dim(constant.rank() - 2);
  const int64_t columns = constant.dim(constant.rank() - 1);
  const auto transpose = [&](void* to) {
    const auto* from = static_cast<const uint8_t*>(constant.raw());
    auto* bytes = static_cast<uint8_t*>(to);
    for (int64_t at = 0; at < constant.num_elements(); at += rows * columns) {
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t i = 0; i < rows; ++i) {
          bytes[at + j * rows + i] = from[at + i * columns + j];
        }
      }
    }
    return absl::OkStatus();
  };
  // Others may know the same bytes in another shape.
  const std::string layout = absl::StrCat("columns of ", rows, " by ", columns);
  return context.device_weights->GetOrPack(*context.device, constant, layout,
                                           constant.num_elements(), transpose);
}

}  // namespace inferd::cuda
