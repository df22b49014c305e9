#include "engine/random_row.h"

#include <algorithm>

#include "engine/core/status_macros.h"

namespace inferd {

absl::StatusOr<Tensor> RandomRow(const TensorInfo& info, int64_t free_dim, std::mt19937* random) {
  Shape shape;
  const SymbolicShape& dims = info.type.shape;
  for (int i = 0; i < dims.rank(); ++i) {
    shape.push_back(dims[i].known() ? dims[i].value : i == 0 ? 1 : free_dim);
  }
  ASSIGN_OR_RETURN(Tensor row, Tensor::Allocate(info.type.dtype, shape));
  const int64_t count = row.num_elements();
  if (row.dtype() == DType::kString) return row;
  if (row.dtype() == DType::kBool) {
    std::generate_n(row.mutable_data<bool>(), count, [&] { return (*random)() % 2 == 0; });
    return row;
  }
  std::normal_distribution<float> normal;
  RETURN_IF_ERROR(DispatchNumeric(row.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::generate_n(row.mutable_data<T>(), count, [&]() -> T {
      return IsFloatingPoint(row.dtype()) ? static_cast<T>(normal(*random))
                                          : static_cast<T>((*random)() % 2);
    });
    return absl::OkStatus();
  }));
  return row;
}

}  // namespace inferd
