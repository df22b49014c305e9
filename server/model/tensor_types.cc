#include "server/model/tensor_types.h"

namespace inferd {
namespace {

struct TypeRow {
  DType dtype;
  absl::string_view name;
  inference::DataType config;
};

constexpr TypeRow kTypes[] = {
    {DType::kBool, "BOOL", inference::TYPE_BOOL},
    {DType::kUint8, "UINT8", inference::TYPE_UINT8},
    {DType::kUint16, "UINT16", inference::TYPE_UINT16},
    {DType::kUint32, "UINT32", inference::TYPE_UINT32},
    {DType::kUint64, "UINT64", inference::TYPE_UINT64},
    {DType::kInt8, "INT8", inference::TYPE_INT8},
    {DType::kInt16, "INT16", inference::TYPE_INT16},
    {DType::kInt32, "INT32", inference::TYPE_INT32},
    {DType::kInt64, "INT64", inference::TYPE_INT64},
    {DType::kFloat16, "FP16", inference::TYPE_FP16},
    {DType::kFloat32, "FP32", inference::TYPE_FP32},
    {DType::kFloat64, "FP64", inference::TYPE_FP64},
    {DType::kString, "BYTES", inference::TYPE_STRING},
    {DType::kBfloat16, "BF16", inference::TYPE_BF16},
};

}  // namespace

absl::string_view ProtocolTypeName(DType dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.dtype == dtype) return row.name;
  }
  return "";
}

DType DTypeOfProtocolName(absl::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.dtype;
  }
  return DType::kInvalid;
}

inference::DataType ConfigDataType(DType dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.dtype == dtype) return row.config;
  }
  return inference::TYPE_INVALID;
}

DType DTypeOfConfig(inference::DataType type) {
  for (const TypeRow& row : kTypes) {
    if (row.config == type) return row.dtype;
  }
  return DType::kInvalid;
}

}  // namespace inferd
