#include "server/model/warm_up.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int64_t kMaxInputBytes = int64_t{256} << 20;
// Stand-ins for variable dimensions: lengths, and the sides of images.
constexpr int64_t kLength = 8;
constexpr int64_t kImageSide = 64;

absl::StatusOr<Tensor> MakeInput(const TensorInfo& input) {
  const Shape shape = WarmUpShape(input);
  ASSIGN_OR_RETURN(const int64_t elements, shape.CheckedElements());
  ASSIGN_OR_RETURN(Tensor tensor,
                   Tensor::Allocate(input.type.dtype, shape, Layout::kRowMajor, kMaxInputBytes));
  if (input.type.dtype == DType::kString) return tensor;
  std::memset(tensor.mutable_raw(), 0, tensor.byte_size());
  if (!IsInteger(input.type.dtype) && input.type.dtype != DType::kBool) return tensor;
  // Little-endian ones: the lowest byte of every element.
  const int64_t bytes = ElementBytes(input.type.dtype);
  auto* data = static_cast<uint8_t*>(tensor.mutable_raw());
  for (int64_t i = 0; i < elements; ++i) data[i * bytes] = 1;
  return tensor;
}

}  // namespace

Shape WarmUpShape(const TensorInfo& input) {
  const SymbolicShape& symbolic = input.type.shape;
  Shape shape;
  for (int i = 0; i < symbolic.rank(); ++i) {
    if (symbolic[i].known()) {
      shape.push_back(symbolic[i].value);
    } else if (i == 0) {
      shape.push_back(1);
    } else {
      shape.push_back(symbolic.rank() >= 4 && i >= 2 ? kImageSide : kLength);
    }
  }
  return shape;
}

absl::Status WarmUp(Model& model, absl::Span<const TensorInfo> inputs, CoreSlot& slot) {
  std::vector<Tensor> tensors;
  for (const TensorInfo& input : inputs) {
    absl::StatusOr<Tensor> tensor = MakeInput(input);
    if (!tensor.ok()) return Annotate(tensor.status(), absl::StrCat("input '", input.name, "'"));
    tensors.push_back(*std::move(tensor));
  }
  std::vector<Tensor> outputs;
  return model.Run(slot, tensors, &outputs);
}

}  // namespace inferd
