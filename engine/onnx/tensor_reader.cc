#include "engine/onnx/tensor_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"
#include "engine/onnx/typed_data.h"

namespace inferd {

static_assert(std::endian::native == std::endian::little, "raw_data is little endian");

// What a tensor's type and shape ask for.
struct TensorReader::Layout {
  DType dtype = DType::kInvalid;
  Shape shape;
  int64_t elements = 0;
  int64_t packed_bytes = 0;  // in a file; 0 for strings
};

namespace {

constexpr int64_t kMaxRank = 64;

absl::StatusOr<DType> ReadDType(int32_t code) {
  if (!IsKnownDType(code)) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown element type ", code, "; known are 1 (float) to 26 (int2)"));
  }
  return static_cast<DType>(code);
}

template <typename Dims>
absl::StatusOr<Shape> ReadShape(const Dims& dims) {
  if (dims.size() > kMaxRank) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", dims.size(), " dimensions; the limit is ", kMaxRank));
  }
  return Shape(absl::Span<const int64_t>(dims.data(), dims.size()));
}

// Hostile bytes other than 0 and 1 would make bools that are neither.
void NormalizeBools(Tensor& tensor) {
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
  for (int64_t i = 0; i < tensor.num_elements(); ++i) bytes[i] = bytes[i] != 0;
}

// The element number of the sparse value `i`, from an index in the flattened tensor or a row of
// coordinates.
absl::StatusOr<int64_t> SparsePosition(const Tensor& indices, int64_t i, const Shape& shape) {
  const int64_t* values = indices.data<int64_t>();
  if (indices.rank() == 1) {
    if (values[i] >= 0 && values[i] < shape.num_elements()) return values[i];
    return absl::InvalidArgumentError(
        absl::StrCat("sparse index ", values[i], " is outside of shape ", shape.ToString()));
  }
  int64_t position = 0;
  for (int d = 0; d < shape.rank(); ++d) {
    const int64_t index = values[i * shape.rank() + d];
    if (index < 0 || index >= shape[d]) {
      return absl::InvalidArgumentError(absl::StrCat("sparse index ", index, " in dimension ", d,
                                                     " is outside of shape ", shape.ToString()));
    }
    position = position * shape[d] + index;
  }
  return position;
}

absl::Status CheckSparseIndices(const Tensor& values, const Tensor& indices, int rank) {
  const bool flat = indices.rank() == 1 && indices.dim(0) == values.dim(0);
  const bool rows =
      indices.rank() == 2 && indices.dim(0) == values.dim(0) && indices.dim(1) == rank;
  if (indices.dtype() == DType::kInt64 && (flat || rows)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("sparse indices are ", indices.TypeString(),
                                                 "; expected int64[", values.dim(0), "] or int64[",
                                                 values.dim(0), ",", rank, "]"));
}

}  // namespace

absl::StatusOr<int64_t> TensorReader::TakeFromBudget(const Layout& layout) {
  const int64_t bytes = layout.elements * ElementBytes(layout.dtype);
  if (bytes > budget_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("it needs ", bytes, " bytes, and the model's limit leaves ", budget_bytes_));
  }
  budget_bytes_ -= bytes;
  return bytes;
}

absl::StatusOr<Tensor> TensorReader::Allocate(const Layout& layout) {
  ASSIGN_OR_RETURN(const int64_t bytes, TakeFromBudget(layout));
  return Tensor::Allocate(layout.dtype, layout.shape, inferd::Layout::kRowMajor, bytes);
}

absl::StatusOr<Tensor> TensorReader::TakeRange(const ExternalData::Range& range,
                                               const Layout& layout, const Recovery& recovery) {
  const int64_t bytes = layout.packed_bytes;
  // Sub-byte elements and bools are changed on their way in.
  const bool as_it_is = bytes == layout.elements * ElementBytes(layout.dtype) &&
                        layout.dtype != DType::kBool && bytes >= RecoverableBytes::kLeastBytes;
  if (recovery == nullptr || !as_it_is || !range.can_read_later) {
    return ReadRange(*range.source, range.offset, layout);
  }
  RETURN_IF_ERROR(TakeFromBudget(layout).status());
  ASSIGN_OR_RETURN(
      auto recoverable,
      RecoverableBytes::Make(
          recovery, bytes,
          absl::StrCat("file ", range.source->identity(), " ", range.offset, "+", bytes),
          [source = range.source, offset = range.offset, bytes](void* to) {
            return source->Read(offset, bytes, to);
          }));
  return Tensor::Recoverable(layout.dtype, layout.shape, std::move(recoverable));
}

absl::StatusOr<Tensor> TensorReader::ReadRange(const ByteSource& source, int64_t offset,
                                               const Layout& layout) {
  ASSIGN_OR_RETURN(Tensor tensor, Allocate(layout));
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
  // Packed elements are read to the end of the storage and spread out from there.
  uint8_t* const to = bytes + (tensor.byte_size() - layout.packed_bytes);
  RETURN_IF_ERROR(source.Read(offset, layout.packed_bytes, to));
  if (layout.packed_bytes < tensor.byte_size()) {
    UnpackSubByte(layout.dtype, to, layout.elements, bytes);
  }
  if (layout.dtype == DType::kBool) NormalizeBools(tensor);
  return tensor;
}

absl::StatusOr<Tensor> TensorReader::ReadDense(const ::onnx::TensorProto& proto, ByteRange raw,
                                               const Recovery& recovery) {
  Layout layout;
  ASSIGN_OR_RETURN(layout.dtype, ReadDType(proto.data_type()));
  ASSIGN_OR_RETURN(layout.shape, ReadShape(proto.dims()));
  ASSIGN_OR_RETURN(layout.elements, layout.shape.CheckedElements());
  layout.packed_bytes = (layout.elements * PackedBits(layout.dtype) + 7) / 8;
  if (proto.has_segment()) {
    return absl::UnimplementedError("it is stored in segments, which are not supported");
  }
  const bool is_string = layout.dtype == DType::kString;
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL) {
    if (is_string) return absl::InvalidArgumentError("strings cannot be external data");
    ASSIGN_OR_RETURN(const auto range, external_.Locate(proto, layout.packed_bytes));
    return TakeRange(range, layout, recovery);
  }
  const bool in_place = proto.has_raw_data() && raw.bytes < 0;
  if (in_place) raw = {0, static_cast<int64_t>(proto.raw_data().size())};
  const bool has_typed = HasTypedData(proto);
  if (raw.bytes >= 0 && !(raw.bytes == 0 && has_typed)) {
    if (has_typed) return absl::InvalidArgumentError("it has both raw and typed data");
    if (is_string) return absl::InvalidArgumentError("strings cannot be raw data");
    if (raw.bytes != layout.packed_bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("its raw data has ", raw.bytes, " bytes; ", DTypeName(layout.dtype),
                       layout.shape.ToString(), " needs ", layout.packed_bytes));
    }
    if (in_place) return ReadRange(*ViewSource(proto.raw_data()), 0, layout);
    return TakeRange({model_, raw.offset, model_->can_read_later()}, layout, recovery);
  }
  const int64_t entries = TypedEntries(proto, layout.dtype);
  const int64_t needed = TypedEntriesFor(layout.dtype, layout.elements);
  if (entries != needed) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", entries, " values in the field for ", DTypeName(layout.dtype), "; ",
                     DTypeName(layout.dtype), layout.shape.ToString(), " needs ", needed));
  }
  ASSIGN_OR_RETURN(Tensor tensor, Allocate(layout));
  RETURN_IF_ERROR(CopyTypedData(proto, tensor));
  return tensor;
}

absl::StatusOr<Tensor> TensorReader::ReadNamed(const ::onnx::TensorProto& proto, ByteRange raw,
                                               const Recovery& recovery) {
  absl::StatusOr<Tensor> tensor = ReadDense(proto, raw, recovery);
  if (tensor.ok()) return tensor;
  return Annotate(tensor.status(), absl::StrCat("tensor ", NameText(proto.name())));
}

absl::StatusOr<Tensor> TensorReader::ReadSparseChecked(const ::onnx::SparseTensorProto& proto) {
  ASSIGN_OR_RETURN(const Tensor values, ReadDense(proto.values(), {}, nullptr));
  ASSIGN_OR_RETURN(const Tensor indices, ReadDense(proto.indices(), {}, nullptr));
  if (values.rank() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("sparse values are ", values.TypeString(), "; expected one dimension"));
  }
  Layout layout;
  layout.dtype = values.dtype();
  ASSIGN_OR_RETURN(layout.shape, ReadShape(proto.dims()));
  ASSIGN_OR_RETURN(layout.elements, layout.shape.CheckedElements());
  RETURN_IF_ERROR(CheckSparseIndices(values, indices, layout.shape.rank()));
  // A few bytes in the file must not become gigabytes.
  constexpr int64_t kFreeBytes = int64_t{64} << 20;
  constexpr int64_t kMaxGrowth = 1024;
  const int64_t element_bytes = ElementBytes(layout.dtype);
  const int64_t allowed =
      std::max(kFreeBytes, (values.byte_size() + indices.byte_size()) * kMaxGrowth);
  if (layout.elements > allowed / element_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("as a dense tensor it has ", layout.elements, " elements for ", values.dim(0),
                     " stored ones; the limit here is ", allowed / element_bytes));
  }
  ASSIGN_OR_RETURN(Tensor dense, Allocate(layout));
  const bool is_string = layout.dtype == DType::kString;
  if (!is_string && dense.byte_size() > 0) std::memset(dense.mutable_raw(), 0, dense.byte_size());
  for (int64_t i = 0; i < values.dim(0); ++i) {
    ASSIGN_OR_RETURN(const int64_t position, SparsePosition(indices, i, layout.shape));
    if (is_string) {
      dense.mutable_data<std::string>()[position] = values.data<std::string>()[i];
    } else {
      std::memcpy(static_cast<char*>(dense.mutable_raw()) + position * element_bytes,
                  static_cast<const char*>(values.raw()) + i * element_bytes, element_bytes);
    }
  }
  return dense;
}

absl::StatusOr<Tensor> TensorReader::ReadSparse(const ::onnx::SparseTensorProto& proto) {
  absl::StatusOr<Tensor> tensor = ReadSparseChecked(proto);
  if (tensor.ok()) return tensor;
  return Annotate(tensor.status(), absl::StrCat("sparse tensor ", NameText(proto.values().name())));
}

}  // namespace inferd
