#include <complex>
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  Dim rank;
  if (input.has_rank()) rank = input.rank();
  context.SetOutput(0, DType::kInt64, SymbolicShape({rank, Dim()}));
  return absl::OkStatus();
}

// Row-major positions of the elements that differ from T().
template <typename T>
std::vector<int64_t> NonZeroPositions(const Tensor& x) {
  std::vector<int64_t> positions;
  const int64_t count = x.num_elements();
  for (int64_t i = 0; i < count; ++i) {
    if (x.data<T>()[i] != T()) positions.push_back(i);
  }
  return positions;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  std::vector<int64_t> positions;
  RETURN_IF_ERROR(
      (DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                     uint16_t, uint32_t, uint64_t, bool, std::string, std::complex<float>,
                     std::complex<double>>(x.dtype(), [&](auto tag) {
        positions = NonZeroPositions<typename decltype(tag)::type>(x);
        return absl::OkStatus();
      })));
  const auto found = static_cast<int64_t>(positions.size());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kInt64, {x.rank(), found}));
  const Shape::Dims strides = x.shape().RowMajorStrides();
  for (int axis = 0; axis < x.rank(); ++axis) {
    int64_t* row = y->mutable_data<int64_t>() + axis * found;
    for (int64_t i = 0; i < found; ++i) row[i] = positions[i] / strides[axis] % x.dim(axis);
  }
  return absl::OkStatus();
}

}  // namespace

OpDef NonZero() { return {.name = "NonZero", .since = 13, .infer = Infer, .compute = Compute}; }

}  // namespace inferd::ops::onnx
