#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/dtype.h"
#include "engine/core/recoverable_bytes.h"
#include "engine/core/shape.h"

namespace inferd {

// What a value is: most are tensors; ONNX also has sequences, optionals and maps of them.
enum class ValueKind : uint8_t { kTensor, kSequence, kOptional, kMap };

// The order of a tensor's elements in memory. kChannelsLast keeps the logical dimensions
// N,C,spatial... and stores them N,spatial...,C; only for rank >= 3.
enum class Layout : uint8_t { kRowMajor, kChannelsLast };

// Strides in elements, one per logical dimension, of a dense tensor of that layout.
Shape::Dims DenseStrides(const Shape& shape, Layout layout);

// A value at run time: dense elements of one dtype (strings are std::string objects), or a
// sequence, optional or map whose parts are Tensors. Copies are shallow: they share the storage.
// Storage is owned (shared) or borrowed; a borrowing tensor must not outlive what it views. That of
// a large constant may be recoverable: reading it brings the bytes back into memory.
// Used by one thread at a time; concurrent reads are fine.
class Tensor {
 public:
  Tensor() = default;

  // New storage, 64-byte aligned; elements are uninitialised, strings empty.
  // RESOURCE_EXHAUSTED over `limit_bytes` or when memory runs out.
  static absl::StatusOr<Tensor> Allocate(DType dtype, const Shape& shape,
                                         Layout layout = Layout::kRowMajor,
                                         int64_t limit_bytes = kDefaultLimitBytes);
  // Borrows `data`, or shares it when `owner` keeps it alive.
  static Tensor View(DType dtype, const Shape& shape, const void* data,
                     std::shared_ptr<const void> owner = nullptr,
                     Layout layout = Layout::kRowMajor);
  // A constant whose bytes, those of a dense tensor, come when they are read.
  static Tensor Recoverable(DType dtype, const Shape& shape,
                            std::shared_ptr<RecoverableBytes> bytes);
  // Owned copies of `values`; their count must be the shape's.
  template <typename T>
  static Tensor FromValues(const Shape& shape, absl::Span<const T> values) {
    Tensor tensor = Allocate(DTypeOf<T>(), shape).value();
    std::copy(values.begin(), values.end(), tensor.mutable_data<T>());
    return tensor;
  }
  template <typename T>
  static Tensor FromValues(const Shape& shape, std::initializer_list<T> values) {
    return FromValues(shape, absl::Span<const T>(values.begin(), values.size()));
  }
  template <typename T>
  static Tensor Scalar(T value) {
    return FromValues<T>(Shape(), {value});
  }
  static Tensor Sequence(std::vector<Tensor> elements);
  static Tensor Optional(std::vector<Tensor> none_or_one);
  static Tensor Map(Tensor keys, Tensor values);

  ValueKind kind() const { return kind_; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int i) const { return shape_.dim(i); }
  Layout layout() const { return layout_; }
  int64_t num_elements() const { return shape_.num_elements(); }
  // Bytes of dense storage; for strings the size of the std::string objects, not of their text.
  int64_t byte_size() const { return num_elements() * ElementBytes(dtype_); }
  bool has_data() const { return data_ != nullptr; }

  const void* raw() const {
    if (recoverable_ != nullptr) [[unlikely]]
      recoverable_->Load();
    return data_;
  }
  void* mutable_raw() { return data_; }
  // Where the bytes are, or would be: the storage's identity, to compare but not to read.
  const void* address() const { return data_; }
  // Null for ordinary storage.
  RecoverableBytes* recoverable() const { return recoverable_; }
  // Requires T to match dtype (sub-byte and fp8 types read as uint8_t or int8_t).
  template <typename T>
  const T* data() const {
    return static_cast<const T*>(raw());
  }
  template <typename T>
  T* mutable_data() {
    return static_cast<T*>(data_);
  }
  template <typename T>
  absl::Span<const T> values() const {
    return absl::Span<const T>(data<T>(), num_elements());
  }

  // Parts of a sequence or optional; {keys, values} of a map.
  const std::vector<Tensor>& elements() const { return *elements_; }

  // The same storage seen with another shape of as many elements (row-major only).
  Tensor Reshaped(const Shape& shape) const;
  // A deep copy with its own row-major or channels-last storage, as this one's.
  absl::StatusOr<Tensor> Clone() const;
  // This tensor if its storage is ordinary; else one whose bytes stay in memory while it lives.
  Tensor Kept() const;
  // Any integer type as int64 values; INVALID_ARGUMENT for other types.
  absl::StatusOr<std::vector<int64_t>> ToInt64s() const;

  // Points this tensor at other storage of the same type, borrowed. For executors.
  void Rebind(void* data) { data_ = data; }
  // "float32[1,3]".
  std::string TypeString() const;

  static constexpr int64_t kDefaultLimitBytes = int64_t{8} << 30;

 private:
  ValueKind kind_ = ValueKind::kTensor;
  DType dtype_ = DType::kInvalid;
  Layout layout_ = Layout::kRowMajor;
  Shape shape_;
  void* data_ = nullptr;
  RecoverableBytes* recoverable_ = nullptr;  // owner_, when it is that
  std::shared_ptr<const void> owner_;
  std::shared_ptr<const std::vector<Tensor>> elements_;
};

}  // namespace inferd
