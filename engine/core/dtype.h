#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/float16.h"

namespace inferd {

// Element types. The numbers are those of ONNX's TensorProto.DataType.
// Sub-byte types (4-bit, 2-bit, fp4) and fp8 take one byte an element in memory.
enum class DType : uint8_t {
  kInvalid = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kFloat8E4m3fn = 17,
  kFloat8E4m3fnuz = 18,
  kFloat8E5m2 = 19,
  kFloat8E5m2fnuz = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2m1 = 23,
  kFloat8E8m0 = 24,
  kUint2 = 25,
  kInt2 = 26,
};

// True when `code` is an ONNX element type known here (0 is not).
bool IsKnownDType(int code);

// Lower-case name: "float32", "int64", "string", ... "invalid" for kInvalid.
absl::string_view DTypeName(DType dtype);

// Bytes one element takes in a Tensor; sizeof(std::string) for kString; 0 for kInvalid.
int64_t ElementBytes(DType dtype);

// Bits one element takes when packed in a file (4 and 2 for the sub-byte types).
int PackedBits(DType dtype);

bool IsFloatingPoint(DType dtype);  // fp64, fp32, fp16, bf16 (not fp8, fp4)
bool IsInteger(DType dtype);        // signed and unsigned, 8 to 64 bits (not bool, not sub-byte)

// The C++ type's DType: DTypeOf<float>() == DType::kFloat32.
template <typename T>
constexpr DType DTypeOf() {
  if constexpr (std::is_same_v<T, float>) return DType::kFloat32;
  if constexpr (std::is_same_v<T, double>) return DType::kFloat64;
  if constexpr (std::is_same_v<T, Float16>) return DType::kFloat16;
  if constexpr (std::is_same_v<T, Bfloat16>) return DType::kBfloat16;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kInt8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::kInt16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kInt32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kInt64;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kUint8;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::kUint16;
  if constexpr (std::is_same_v<T, uint32_t>) return DType::kUint32;
  if constexpr (std::is_same_v<T, uint64_t>) return DType::kUint64;
  if constexpr (std::is_same_v<T, bool>) return DType::kBool;
  if constexpr (std::is_same_v<T, std::string>) return DType::kString;
  if constexpr (std::is_same_v<T, std::complex<float>>) return DType::kComplex64;
  if constexpr (std::is_same_v<T, std::complex<double>>) return DType::kComplex128;
  return DType::kInvalid;
}

template <typename T>
struct TypeTag {
  using type = T;
};

namespace dispatch_internal {
absl::Status Unsupported(DType dtype);

template <typename Fn, typename... Ts>
absl::Status Select(DType dtype, Fn&& fn, TypeTag<Ts>... tags) {
  absl::Status status;
  const bool found = ((DTypeOf<Ts>() == dtype ? (status = fn(tags), true) : false) || ...);
  return found ? status : Unsupported(dtype);
}
}  // namespace dispatch_internal

// Calls fn(TypeTag<T>) -> absl::Status with the T that matches `dtype`; UNIMPLEMENTED naming the
// type when T is not among Ts.
template <typename... Ts, typename Fn>
absl::Status DispatchTypes(DType dtype, Fn&& fn) {
  return dispatch_internal::Select(dtype, fn, TypeTag<Ts>{}...);
}

// The common sets of Ts.
template <typename Fn>
absl::Status DispatchFloat(DType dtype, Fn&& fn) {
  return DispatchTypes<float, double, Float16, Bfloat16>(dtype, fn);
}
template <typename Fn>
absl::Status DispatchInteger(DType dtype, Fn&& fn) {
  return DispatchTypes<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
      dtype, fn);
}
template <typename Fn>
absl::Status DispatchNumeric(DType dtype, Fn&& fn) {
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t>(dtype, fn);
}

}  // namespace inferd
