#include "server/rpc/tensor_codec.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "proto/inference.pb.h"
#include "server/model/tensor_types.h"
#include "server/rpc/typed_contents.h"

namespace inferd {
namespace {

constexpr int64_t kLengthBytes = 4;  // before each BYTES element

uint32_t LoadLength(absl::string_view raw, int64_t at) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data() + at);
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 |
         uint32_t{bytes[3]} << 24;
}

void AppendLength(uint32_t length, std::string* to) {
  const char bytes[kLengthBytes] = {static_cast<char>(length), static_cast<char>(length >> 8),
                                    static_cast<char>(length >> 16),
                                    static_cast<char>(length >> 24)};
  to->append(bytes, kLengthBytes);
}

absl::StatusOr<Tensor> AllocateCharged(DType dtype, const Shape& shape, int64_t elements,
                                       InflightCharge* charge) {
  RETURN_IF_ERROR(charge->Add(elements * ElementBytes(dtype)));
  return Tensor::Allocate(dtype, shape);
}

absl::Status CheckBools(const char* bytes, int64_t count) {
  const auto* first = reinterpret_cast<const unsigned char*>(bytes);
  unsigned char seen = 0;
  for (int64_t i = 0; i < count; ++i) seen |= first[i];
  if (seen <= 1) return absl::OkStatus();
  const auto* wrong = std::find_if(first, first + count, [](unsigned char b) { return b > 1; });
  return absl::InvalidArgumentError(absl::StrCat("BOOL element ", wrong - first, " is the byte ",
                                                 int{*wrong}, ", expected 0 or 1"));
}

absl::StatusOr<Tensor> DecodeRawNumbers(DType dtype, absl::string_view datatype, const Shape& shape,
                                        int64_t elements, const ByteSource& raw,
                                        InflightCharge* charge) {
  const int64_t expected = elements * ElementBytes(dtype);
  if (raw.size() != expected) {
    return absl::InvalidArgumentError(absl::StrCat("expected ", expected, " bytes for ", datatype,
                                                   shape.ToString(), ", got ", raw.size()));
  }
  Tensor tensor;
  const char* bytes = raw.contiguous();
  const bool aligned = reinterpret_cast<uintptr_t>(bytes) % ElementBytes(dtype) == 0;
  if (bytes != nullptr && aligned) {
    tensor = Tensor::View(dtype, shape, bytes);
  } else {
    ASSIGN_OR_RETURN(tensor, AllocateCharged(dtype, shape, elements, charge));
    RETURN_IF_ERROR(raw.Copy(0, expected, tensor.mutable_raw()));
    bytes = static_cast<const char*>(tensor.raw());
  }
  if (dtype == DType::kBool) RETURN_IF_ERROR(CheckBools(bytes, expected));
  return tensor;
}

// Bytes of text, when `raw` is exactly `elements` lengths each followed by so many bytes.
absl::StatusOr<int64_t> CheckRawStrings(int64_t elements, absl::string_view raw) {
  const int64_t size = static_cast<int64_t>(raw.size());
  int64_t at = 0;
  for (int64_t i = 0; i < elements; ++i) {
    if (size - at < kLengthBytes) {
      return absl::InvalidArgumentError(absl::StrCat("the data ends before the length of element ",
                                                     i, ": expected ", elements, " elements in ",
                                                     size, " bytes"));
    }
    const int64_t length = LoadLength(raw, at);
    at += kLengthBytes;
    if (length > size - at) {
      return absl::InvalidArgumentError(absl::StrCat("element ", i, " has length ", length,
                                                     ", but only ", size - at,
                                                     " bytes of data are left"));
    }
    at += length;
  }
  if (at != size) {
    return absl::InvalidArgumentError(
        absl::StrCat(size - at, " bytes of data are left after ", elements, " elements"));
  }
  return size - elements * kLengthBytes;
}

absl::StatusOr<Tensor> DecodeRawStrings(const Shape& shape, int64_t elements, absl::string_view raw,
                                        InflightCharge* charge) {
  ASSIGN_OR_RETURN(const int64_t text_bytes, CheckRawStrings(elements, raw));
  RETURN_IF_ERROR(charge->Add(text_bytes));
  ASSIGN_OR_RETURN(Tensor tensor, AllocateCharged(DType::kString, shape, elements, charge));
  auto* strings = tensor.mutable_data<std::string>();
  int64_t at = 0;
  for (int64_t i = 0; i < elements; ++i) {
    const int64_t length = LoadLength(raw, at);
    at += kLengthBytes;
    strings[i].assign(raw.data() + at, length);
    at += length;
  }
  return tensor;
}

// Strings are checked and read where nobody can change them in between.
absl::StatusOr<Tensor> DecodeStringsOf(const ByteSource& source, const Shape& shape,
                                       int64_t elements, InflightCharge* charge) {
  if (source.contiguous() != nullptr) {
    return DecodeRawStrings(shape, elements, {source.contiguous(), size_t(source.size())}, charge);
  }
  ASSIGN_OR_RETURN(Tensor copy,
                   AllocateCharged(DType::kUint8, Shape({source.size()}), source.size(), charge));
  RETURN_IF_ERROR(source.Copy(0, source.size(), copy.mutable_raw()));
  const auto* bytes = static_cast<const char*>(copy.raw());
  return DecodeRawStrings(shape, elements, {bytes, size_t(source.size())}, charge);
}

}  // namespace

absl::StatusOr<Tensor> DecodeTensor(const WireTensor& wire, InflightCharge* charge) {
  const DType dtype = DTypeOfProtocolName(wire.datatype);
  if (dtype == DType::kInvalid) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown datatype '", wire.datatype.substr(0, 32),
                     "', expected BOOL, UINT8, ..., INT64, FP16, BF16, FP32, FP64 or BYTES"));
  }
  if (wire.shape.size() > kMaxRank) {
    return absl::InvalidArgumentError(absl::StrCat("the shape has ", wire.shape.size(),
                                                   " dimensions, expected at most ", kMaxRank));
  }
  const Shape shape(wire.shape);
  ASSIGN_OR_RETURN(const int64_t elements, shape.CheckedElements());
  if (wire.contents != nullptr) {
    return DecodeTypedContents(dtype, wire.datatype, shape, elements, *wire.contents, charge);
  }
  if (wire.raw == nullptr) {
    if (elements > 0) {
      return absl::InvalidArgumentError(absl::StrCat("expected ", elements, " elements for ",
                                                     wire.datatype, shape.ToString(),
                                                     ", got no data"));
    }
    return Tensor::Allocate(dtype, shape);
  }
  if (dtype == DType::kString) return DecodeStringsOf(*wire.raw, shape, elements, charge);
  return DecodeRawNumbers(dtype, wire.datatype, shape, elements, *wire.raw, charge);
}

int64_t EncodedBytes(const Tensor& tensor) {
  if (tensor.dtype() != DType::kString) return tensor.byte_size();
  int64_t bytes = tensor.num_elements() * kLengthBytes;
  for (const std::string& text : tensor.values<std::string>()) {
    bytes += static_cast<int64_t>(text.size());
  }
  return bytes;
}

absl::Status EncodeTensor(const Tensor& tensor, std::string* raw) {
  if (tensor.kind() != ValueKind::kTensor || ProtocolTypeName(tensor.dtype()).empty()) {
    return absl::UnimplementedError(
        absl::StrCat("the protocol has no datatype for ", tensor.TypeString()));
  }
  raw->clear();
  if (tensor.num_elements() == 0) return absl::OkStatus();
  if (tensor.dtype() != DType::kString) {
    raw->assign(static_cast<const char*>(tensor.raw()), tensor.byte_size());
    return absl::OkStatus();
  }
  raw->reserve(EncodedBytes(tensor));
  for (const std::string& text : tensor.values<std::string>()) {
    if (text.size() > std::numeric_limits<uint32_t>::max()) {
      return absl::ResourceExhaustedError("a BYTES element is longer than 4 GiB");
    }
    AppendLength(static_cast<uint32_t>(text.size()), raw);
    raw->append(text);
  }
  return absl::OkStatus();
}

}  // namespace inferd
