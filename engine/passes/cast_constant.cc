#include "engine/passes/cast_constant.h"

#include "absl/strings/str_cat.h"
#include "engine/graph/derived_constant.h"
#include "engine/ops/cast.h"

namespace inferd {

absl::StatusOr<Tensor> CastConstant(const Tensor& constant, DType type) {
  const Shape shape = constant.shape();
  return DeriveConstant(type, shape, {constant}, absl::StrCat("converted to ", DTypeName(type)),
                        [type, shape](absl::Span<const Tensor> inputs, void* to) {
                          Tensor converted = Tensor::View(type, shape, to);
                          return CastElements(inputs[0], &converted);
                        });
}

}  // namespace inferd
