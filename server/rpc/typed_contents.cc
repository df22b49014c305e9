#include "server/rpc/typed_contents.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "proto/inference.pb.h"

namespace inferd {
namespace {

using inference::InferTensorContents;

// The field of InferTensorContents that holds a datatype's elements.
enum class Field { kNone, kBool, kInt, kInt64, kUint, kUint64, kFp32, kFp64, kBytes };

Field FieldOf(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return Field::kBool;
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
      return Field::kInt;
    case DType::kInt64:
      return Field::kInt64;
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
      return Field::kUint;
    case DType::kUint64:
      return Field::kUint64;
    case DType::kFloat32:
      return Field::kFp32;
    case DType::kFloat64:
      return Field::kFp64;
    case DType::kString:
      return Field::kBytes;
    default:
      return Field::kNone;
  }
}

struct FieldSize {
  Field field;
  const char* name;
  int64_t size;
};

struct FieldSizes {
  explicit FieldSizes(const InferTensorContents& contents)
      : all{{Field::kBool, "bool_contents", contents.bool_contents_size()},
            {Field::kInt, "int_contents", contents.int_contents_size()},
            {Field::kInt64, "int64_contents", contents.int64_contents_size()},
            {Field::kUint, "uint_contents", contents.uint_contents_size()},
            {Field::kUint64, "uint64_contents", contents.uint64_contents_size()},
            {Field::kFp32, "fp32_contents", contents.fp32_contents_size()},
            {Field::kFp64, "fp64_contents", contents.fp64_contents_size()},
            {Field::kBytes, "bytes_contents", contents.bytes_contents_size()}} {}
  FieldSize all[8];
};

// Only the datatype's own field may have values, and exactly as many as the shape says.
absl::Status CheckFields(Field field, absl::string_view datatype, const Shape& shape,
                         int64_t elements, const InferTensorContents& contents) {
  for (const FieldSize& entry : FieldSizes(contents).all) {
    if (entry.field == field && entry.size != elements) {
      return absl::InvalidArgumentError(absl::StrCat("expected ", elements, " elements for ",
                                                     datatype, shape.ToString(), ", got ",
                                                     entry.size, " in ", entry.name));
    }
    if (entry.field != field && entry.size > 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          entry.name, " has ", entry.size, " values, which datatype ", datatype, " does not use",
          field == Field::kNone ? "; send it in raw_input_contents" : ""));
    }
  }
  if (field == Field::kNone && elements > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(datatype, " has no typed contents; send it in raw_input_contents"));
  }
  return absl::OkStatus();
}

// Copies `from` into a tensor of the smaller type T; a value that T cannot hold is refused.
template <typename T, typename Wide>
absl::StatusOr<Tensor> Narrow(absl::string_view datatype, const Shape& shape,
                              const google::protobuf::RepeatedField<Wide>& from,
                              InflightCharge* charge) {
  RETURN_IF_ERROR(charge->Add(from.size() * int64_t{sizeof(T)}));
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(DTypeOf<T>(), shape));
  T* to = tensor.mutable_data<T>();
  for (int i = 0; i < from.size(); ++i) {
    const Wide value = from.Get(i);
    if (value < static_cast<Wide>(std::numeric_limits<T>::min()) ||
        value > static_cast<Wide>(std::numeric_limits<T>::max())) {
      return absl::InvalidArgumentError(
          absl::StrCat("element ", i, " is ", value, ", which ", datatype, " cannot hold"));
    }
    to[i] = static_cast<T>(value);
  }
  return tensor;
}

absl::StatusOr<Tensor> CopyStrings(const Shape& shape, const InferTensorContents& contents,
                                   InflightCharge* charge) {
  int64_t bytes = contents.bytes_contents_size() * int64_t{sizeof(std::string)};
  for (const std::string& text : contents.bytes_contents()) {
    bytes += static_cast<int64_t>(text.size());
  }
  RETURN_IF_ERROR(charge->Add(bytes));
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(DType::kString, shape));
  std::copy(contents.bytes_contents().begin(), contents.bytes_contents().end(),
            tensor.mutable_data<std::string>());
  return tensor;
}

}  // namespace

absl::StatusOr<Tensor> DecodeTypedContents(DType dtype, absl::string_view datatype,
                                           const Shape& shape, int64_t elements,
                                           const InferTensorContents& contents,
                                           InflightCharge* charge) {
  RETURN_IF_ERROR(CheckFields(FieldOf(dtype), datatype, shape, elements, contents));
  if (elements == 0) return Tensor::Allocate(dtype, shape);
  switch (dtype) {
    case DType::kBool:
      return Tensor::View(dtype, shape, contents.bool_contents().data());
    case DType::kInt8:
      return Narrow<int8_t>(datatype, shape, contents.int_contents(), charge);
    case DType::kInt16:
      return Narrow<int16_t>(datatype, shape, contents.int_contents(), charge);
    case DType::kInt32:
      return Tensor::View(dtype, shape, contents.int_contents().data());
    case DType::kInt64:
      return Tensor::View(dtype, shape, contents.int64_contents().data());
    case DType::kUint8:
      return Narrow<uint8_t>(datatype, shape, contents.uint_contents(), charge);
    case DType::kUint16:
      return Narrow<uint16_t>(datatype, shape, contents.uint_contents(), charge);
    case DType::kUint32:
      return Tensor::View(dtype, shape, contents.uint_contents().data());
    case DType::kUint64:
      return Tensor::View(dtype, shape, contents.uint64_contents().data());
    case DType::kFloat32:
      return Tensor::View(dtype, shape, contents.fp32_contents().data());
    case DType::kFloat64:
      return Tensor::View(dtype, shape, contents.fp64_contents().data());
    default:
      return CopyStrings(shape, contents, charge);
  }
}

bool IsEmpty(const InferTensorContents& contents) {
  for (const FieldSize& entry : FieldSizes(contents).all) {
    if (entry.size > 0) return false;
  }
  return true;
}

}  // namespace inferd
