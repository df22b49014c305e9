#include "engine/onnx/typed_data.h"

#include <algorithm>
#include <complex>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

// The field of TensorProto that holds a type.
enum class TypedField { kFloat, kInt32, kString, kInt64, kDouble, kUint64 };

TypedField FieldOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64:
      return TypedField::kFloat;
    case DType::kFloat64:
    case DType::kComplex128:
      return TypedField::kDouble;
    case DType::kString:
      return TypedField::kString;
    case DType::kInt64:
      return TypedField::kInt64;
    case DType::kUint32:
    case DType::kUint64:
      return TypedField::kUint64;
    default:
      return TypedField::kInt32;
  }
}

template <typename T, typename Entries>
absl::Status CopyRanged(const Entries& entries, Tensor& tensor) {
  T* to = tensor.mutable_data<T>();
  for (int i = 0; i < entries.size(); ++i) {
    if (!std::in_range<T>(entries[i])) {
      return absl::InvalidArgumentError(absl::StrCat("element ", i, " is ", entries[i], ", which ",
                                                     DTypeName(tensor.dtype()), " cannot hold"));
    }
    to[i] = static_cast<T>(entries[i]);
  }
  return absl::OkStatus();
}

// 16-bit floats and bytes of other formats: the low bits of each entry.
template <typename T, typename Entries>
absl::Status CopyBits(const Entries& entries, Tensor& tensor) {
  std::transform(entries.begin(), entries.end(), tensor.mutable_data<T>(),
                 [](int32_t entry) { return static_cast<T>(static_cast<uint32_t>(entry)); });
  return absl::OkStatus();
}

absl::Status CopyInt32Data(const ::onnx::TensorProto& proto, Tensor& tensor) {
  const auto& entries = proto.int32_data();
  switch (tensor.dtype()) {
    case DType::kInt32:
      return CopyRanged<int32_t>(entries, tensor);
    case DType::kInt16:
      return CopyRanged<int16_t>(entries, tensor);
    case DType::kInt8:
      return CopyRanged<int8_t>(entries, tensor);
    case DType::kUint16:
      return CopyRanged<uint16_t>(entries, tensor);
    case DType::kUint8:
      return CopyRanged<uint8_t>(entries, tensor);
    case DType::kFloat16:
    case DType::kBfloat16:
      return CopyBits<uint16_t>(entries, tensor);
    case DType::kBool:
      std::transform(entries.begin(), entries.end(), tensor.mutable_data<uint8_t>(),
                     [](int32_t entry) { return static_cast<uint8_t>(entry != 0); });
      return absl::OkStatus();
    default:
      break;
  }
  if (PackedBits(tensor.dtype()) == 8) return CopyBits<uint8_t>(entries, tensor);
  const std::vector<uint8_t> packed(entries.begin(), entries.end());
  UnpackSubByte(tensor.dtype(), packed.data(), tensor.num_elements(),
                tensor.mutable_data<uint8_t>());
  return absl::OkStatus();
}

template <typename T, typename Entries>
absl::Status CopyPlain(const Entries& entries, Tensor& tensor) {
  std::copy(entries.begin(), entries.end(), static_cast<T*>(tensor.mutable_raw()));
  return absl::OkStatus();
}

}  // namespace

int64_t TypedEntries(const ::onnx::TensorProto& proto, DType dtype) {
  switch (FieldOf(dtype)) {
    case TypedField::kFloat:
      return proto.float_data_size();
    case TypedField::kInt32:
      return proto.int32_data_size();
    case TypedField::kString:
      return proto.string_data_size();
    case TypedField::kInt64:
      return proto.int64_data_size();
    case TypedField::kDouble:
      return proto.double_data_size();
    case TypedField::kUint64:
      return proto.uint64_data_size();
  }
  return 0;
}

int64_t TypedEntriesFor(DType dtype, int64_t elements) {
  if (dtype == DType::kComplex64 || dtype == DType::kComplex128) return 2 * elements;
  const int bits = PackedBits(dtype);
  return bits == 4 || bits == 2 ? (elements * bits + 7) / 8 : elements;
}

bool HasTypedData(const ::onnx::TensorProto& proto) {
  return proto.float_data_size() + proto.int32_data_size() + proto.string_data_size() +
             proto.int64_data_size() + proto.double_data_size() + proto.uint64_data_size() >
         0;
}

absl::Status CopyTypedData(const ::onnx::TensorProto& proto, Tensor& tensor) {
  switch (FieldOf(tensor.dtype())) {
    case TypedField::kFloat:
      return CopyPlain<float>(proto.float_data(), tensor);
    case TypedField::kInt32:
      return CopyInt32Data(proto, tensor);
    case TypedField::kString:
      return CopyPlain<std::string>(proto.string_data(), tensor);
    case TypedField::kInt64:
      return CopyPlain<int64_t>(proto.int64_data(), tensor);
    case TypedField::kDouble:
      return CopyPlain<double>(proto.double_data(), tensor);
    case TypedField::kUint64:
      if (tensor.dtype() == DType::kUint32) {
        return CopyRanged<uint32_t>(proto.uint64_data(), tensor);
      }
      return CopyPlain<uint64_t>(proto.uint64_data(), tensor);
  }
  return absl::OkStatus();
}

void UnpackSubByte(DType dtype, const uint8_t* packed, int64_t count, uint8_t* elements) {
  const int bits = PackedBits(dtype);
  const int per_byte = 8 / bits;
  const int mask = (1 << bits) - 1;
  const bool is_signed = dtype == DType::kInt4 || dtype == DType::kInt2;
  // Forwards is right where the packed bytes are the storage's last: a byte is read before or when
  // its first element is written.
  for (int64_t byte = 0; byte * per_byte < count; ++byte) {
    const int value = packed[byte];
    const int64_t end = std::min<int64_t>(count, (byte + 1) * per_byte);
    for (int64_t i = byte * per_byte; i < end; ++i) {
      int element = (value >> ((i % per_byte) * bits)) & mask;
      if (is_signed && (element >> (bits - 1)) != 0) element -= 1 << bits;
      elements[i] = static_cast<uint8_t>(element);
    }
  }
}

}  // namespace inferd
