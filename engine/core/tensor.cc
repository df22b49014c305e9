#include "engine/core/tensor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int64_t kAlignment = 64;

std::shared_ptr<void> AllocateBytes(int64_t bytes) {
  const int64_t rounded = (std::max<int64_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  return std::shared_ptr<void>(std::aligned_alloc(kAlignment, rounded), std::free);
}

}  // namespace

Shape::Dims DenseStrides(const Shape& shape, Layout layout) {
  if (layout == Layout::kRowMajor || shape.rank() < 3) return shape.RowMajorStrides();
  Shape::Dims strides(shape.rank(), 1);
  int64_t stride = shape[1];
  for (int i = shape.rank() - 1; i >= 2; --i) {
    strides[i] = stride;
    stride *= shape[i];
  }
  strides[0] = stride;
  return strides;
}

absl::StatusOr<Tensor> Tensor::Allocate(DType dtype, const Shape& shape, Layout layout,
                                        int64_t limit_bytes) {
  ASSIGN_OR_RETURN(const int64_t elements, shape.CheckedElements());
  const int64_t element_bytes = ElementBytes(dtype);
  if (element_bytes == 0) return absl::InvalidArgumentError("tensor has no element type");
  if (elements > limit_bytes / element_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("tensor ", DTypeName(dtype), shape.ToString(),
                                                     " needs ", elements * element_bytes,
                                                     " bytes; the limit is ", limit_bytes));
  }
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.layout_ = layout;
  tensor.shape_ = shape;
  if (dtype == DType::kString) {
    auto strings = std::make_shared<std::vector<std::string>>(std::max<int64_t>(elements, 1));
    tensor.data_ = strings->data();
    tensor.owner_ = std::move(strings);
    return tensor;
  }
  std::shared_ptr<void> bytes = AllocateBytes(elements * element_bytes);
  if (bytes == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory for ", elements * element_bytes, " bytes"));
  }
  tensor.data_ = bytes.get();
  tensor.owner_ = std::move(bytes);
  return tensor;
}

Tensor Tensor::View(DType dtype, const Shape& shape, const void* data,
                    std::shared_ptr<const void> owner, Layout layout) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.layout_ = layout;
  tensor.shape_ = shape;
  tensor.data_ = const_cast<void*>(data);
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::Recoverable(DType dtype, const Shape& shape,
                           std::shared_ptr<RecoverableBytes> bytes) {
  Tensor tensor = View(dtype, shape, bytes->address());
  tensor.recoverable_ = bytes.get();
  tensor.owner_ = std::move(bytes);
  return tensor;
}

Tensor Tensor::Sequence(std::vector<Tensor> elements) {
  Tensor tensor;
  tensor.kind_ = ValueKind::kSequence;
  tensor.elements_ = std::make_shared<const std::vector<Tensor>>(std::move(elements));
  return tensor;
}

Tensor Tensor::Optional(std::vector<Tensor> none_or_one) {
  Tensor tensor = Sequence(std::move(none_or_one));
  tensor.kind_ = ValueKind::kOptional;
  return tensor;
}

Tensor Tensor::Map(Tensor keys, Tensor values) {
  Tensor tensor = Sequence({std::move(keys), std::move(values)});
  tensor.kind_ = ValueKind::kMap;
  return tensor;
}

Tensor Tensor::Reshaped(const Shape& shape) const {
  Tensor tensor = *this;
  tensor.shape_ = shape;
  tensor.layout_ = Layout::kRowMajor;
  return tensor;
}

absl::StatusOr<Tensor> Tensor::Clone() const {
  if (kind_ != ValueKind::kTensor) {
    std::vector<Tensor> copies;
    for (const Tensor& element : elements()) {
      ASSIGN_OR_RETURN(Tensor copy, element.Clone());
      copies.push_back(std::move(copy));
    }
    Tensor result = Sequence(std::move(copies));
    result.kind_ = kind_;
    return result;
  }
  ASSIGN_OR_RETURN(Tensor copy, Allocate(dtype_, shape_, layout_));
  if (dtype_ == DType::kString) {
    std::copy_n(data<std::string>(), num_elements(), copy.mutable_data<std::string>());
  } else if (recoverable_ != nullptr) {
    RETURN_IF_ERROR(recoverable_->CopyTo(copy.mutable_raw()));
  } else if (byte_size() > 0) {
    std::memcpy(copy.mutable_raw(), data_, byte_size());
  }
  return copy;
}

Tensor Tensor::Kept() const {
  if (recoverable_ == nullptr) return *this;
  return View(dtype_, shape_, data_, recoverable_->Pin(), layout_);
}

absl::StatusOr<std::vector<int64_t>> Tensor::ToInt64s() const {
  std::vector<int64_t> result(num_elements());
  RETURN_IF_ERROR(DispatchInteger(dtype_, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::copy_n(data<T>(), result.size(), result.begin());
    return absl::OkStatus();
  }));
  return result;
}

std::string Tensor::TypeString() const {
  switch (kind_) {
    case ValueKind::kTensor:
      return absl::StrCat(DTypeName(dtype_), shape_.ToString());
    case ValueKind::kSequence:
      return absl::StrCat("sequence of ", elements().size());
    case ValueKind::kOptional:
      return elements().empty() ? "empty optional" : "optional";
    case ValueKind::kMap:
      return "map";
  }
  return "";
}

}  // namespace inferd
