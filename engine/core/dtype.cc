#include "engine/core/dtype.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

struct DTypeRow {
  absl::string_view name;
  int bytes;
  int packed_bits;
};

constexpr std::array<DTypeRow, 27> kRows = {{
    {"invalid", 0, 0},        {"float32", 4, 32},   {"uint8", 1, 8},
    {"int8", 1, 8},           {"uint16", 2, 16},    {"int16", 2, 16},
    {"int32", 4, 32},         {"int64", 8, 64},     {"string", sizeof(std::string), 0},
    {"bool", 1, 8},           {"float16", 2, 16},   {"float64", 8, 64},
    {"uint32", 4, 32},        {"uint64", 8, 64},    {"complex64", 8, 64},
    {"complex128", 16, 128},  {"bfloat16", 2, 16},  {"float8e4m3fn", 1, 8},
    {"float8e4m3fnuz", 1, 8}, {"float8e5m2", 1, 8}, {"float8e5m2fnuz", 1, 8},
    {"uint4", 1, 4},          {"int4", 1, 4},       {"float4e2m1", 1, 4},
    {"float8e8m0", 1, 8},     {"uint2", 1, 2},      {"int2", 1, 2},
}};

const DTypeRow& Row(DType dtype) { return kRows[static_cast<size_t>(dtype)]; }

}  // namespace

bool IsKnownDType(int code) { return code > 0 && code < static_cast<int>(kRows.size()); }

absl::string_view DTypeName(DType dtype) { return Row(dtype).name; }

int64_t ElementBytes(DType dtype) { return Row(dtype).bytes; }

int PackedBits(DType dtype) { return Row(dtype).packed_bits; }

bool IsFloatingPoint(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 ||
         dtype == DType::kBfloat16;
}

bool IsInteger(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kUint64:
      return true;
    default:
      return false;
  }
}

namespace dispatch_internal {
absl::Status Unsupported(DType dtype) {
  return absl::UnimplementedError(
      absl::StrCat("element type ", DTypeName(dtype), " is not supported here"));
}
}  // namespace dispatch_internal

}  // namespace inferd
