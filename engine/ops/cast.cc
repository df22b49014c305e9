#include "engine/ops/cast.h"

#include <array>
#include <cmath>
#include <utility>

#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/number_text.h"
#include "engine/ops/view.h"

namespace inferd {
namespace {

// One element in the widest type of its kind: every source type widens to one, every target type
// narrows from each, so that n types need 2n conversions instead of n^2.
struct Number {
  enum class Kind : uint8_t { kReal, kSigned, kUnsigned, kNotANumber };
  Kind kind = Kind::kNotANumber;
  bool is_double = false;  // a real that came from float64: decides how many digits are printed
  double real = 0;
  int64_t integer = 0;  // the bits of a signed or unsigned integer

  static Number Real(double value, bool is_double = false) {
    return {Kind::kReal, is_double, value, 0};
  }
  static Number Signed(int64_t value) { return {Kind::kSigned, false, 0, value}; }
  static Number Unsigned(uint64_t value) {
    return {Kind::kUnsigned, false, 0, static_cast<int64_t>(value)};
  }
  // The value as a floating-point type, rounded once.
  template <typename T>
  T As() const {
    if (kind == Kind::kReal) return static_cast<T>(real);
    if (kind == Kind::kSigned) return static_cast<T>(integer);
    return static_cast<T>(static_cast<uint64_t>(integer));
  }
};

using LoadFunction = Number (*)(const Tensor& from, int64_t i);
using StoreFunction = void (*)(const Number& number, Tensor* to, int64_t i, const CastOptions&);

template <typename T>
Number LoadReal(const Tensor& from, int64_t i) {
  return Number::Real(static_cast<double>(from.data<T>()[i]), std::is_same_v<T, double>);
}

template <DType dtype>
Number LoadSmallFloat(const Tensor& from, int64_t i) {
  return Number::Real(DecodeFloat(from.data<uint8_t>()[i], *FindFloatFormat(dtype)));
}

Number LoadPowerOfTwo(const Tensor& from, int64_t i) {
  return Number::Real(DecodePowerOfTwo(from.data<uint8_t>()[i]));
}

template <typename T>
Number LoadInteger(const Tensor& from, int64_t i) {
  const T value = from.data<T>()[i];
  return std::is_signed_v<T> ? Number::Signed(value) : Number::Unsigned(value);
}

Number LoadBool(const Tensor& from, int64_t i) {
  return Number::Unsigned(from.data<uint8_t>()[i] != 0);
}

// Only the low bits count, whatever the byte holds above them.
template <int bits>
Number LoadNarrowSigned(const Tensor& from, int64_t i) {
  const auto shifted = static_cast<int8_t>(from.data<uint8_t>()[i] << (8 - bits));
  return Number::Signed(shifted >> (8 - bits));
}

template <int bits>
Number LoadNarrowUnsigned(const Tensor& from, int64_t i) {
  return Number::Unsigned(from.data<uint8_t>()[i] & ((1 << bits) - 1));
}

Number LoadText(const Tensor& from, int64_t i) {
  const std::string& text = from.data<std::string>()[i];
  if (const auto integer = ParseInteger(text)) return Number::Signed(*integer);
  if (const auto large = ParseUnsigned(text)) return Number::Unsigned(*large);
  if (const auto real = ParseNumber(text)) return Number::Real(*real, true);
  return Number();
}

template <typename T>
void StoreReal(const Number& number, Tensor* to, int64_t i, const CastOptions&) {
  to->mutable_data<T>()[i] = number.As<T>();
}

template <DType dtype>
void StoreHalf(const Number& number, Tensor* to, int64_t i, const CastOptions&) {
  to->mutable_data<uint16_t>()[i] =
      EncodeFloat(number.As<double>(), *FindFloatFormat(dtype), /*saturate=*/false);
}

template <DType dtype>
void StoreSmallFloat(const Number& number, Tensor* to, int64_t i, const CastOptions& options) {
  to->mutable_data<uint8_t>()[i] = static_cast<uint8_t>(
      EncodeFloat(number.As<double>(), *FindFloatFormat(dtype), options.saturate));
}

void StorePowerOfTwo(const Number& number, Tensor* to, int64_t i, const CastOptions& options) {
  to->mutable_data<uint8_t>()[i] =
      EncodePowerOfTwo(number.As<double>(), options.power_rounding, options.saturate);
}

template <typename T>
T ToInteger(const Number& number) {
  if (number.kind != Number::Kind::kReal) return static_cast<T>(number.integer);
  if constexpr (sizeof(T) >= 4) {
    return SaturateToInteger<T>(number.real);
  } else {
    return static_cast<T>(SaturateToInteger<int64_t>(number.real));
  }
}

template <typename T>
void StoreInteger(const Number& number, Tensor* to, int64_t i, const CastOptions&) {
  to->mutable_data<T>()[i] = ToInteger<T>(number);
}

void StoreBool(const Number& number, Tensor* to, int64_t i, const CastOptions&) {
  to->mutable_data<bool>()[i] =
      number.kind == Number::Kind::kReal ? number.real != 0 : number.integer != 0;
}

template <int bits>
void StoreNarrowSigned(const Number& number, Tensor* to, int64_t i, const CastOptions&) {
  const auto shifted = static_cast<int8_t>(ToInteger<uint8_t>(number) << (8 - bits));
  to->mutable_data<int8_t>()[i] = static_cast<int8_t>(shifted >> (8 - bits));
}

template <int bits>
void StoreNarrowUnsigned(const Number& number, Tensor* to, int64_t i, const CastOptions&) {
  to->mutable_data<uint8_t>()[i] = ToInteger<uint8_t>(number) & ((1 << bits) - 1);
}

void StoreText(const Number& number, Tensor* to, int64_t i, const CastOptions&) {
  std::string& text = to->mutable_data<std::string>()[i];
  if (number.kind == Number::Kind::kSigned) {
    text = absl::StrCat(number.integer);
  } else if (number.kind == Number::Kind::kUnsigned) {
    text = absl::StrCat(static_cast<uint64_t>(number.integer));
  } else {
    text = number.is_double ? FormatNumber(number.real)
                            : FormatNumber(static_cast<float>(number.real));
  }
}

struct CastRow {
  DType dtype;
  LoadFunction load;
  StoreFunction store;
};

constexpr CastRow kRows[] = {
    {DType::kFloat32, LoadReal<float>, StoreReal<float>},
    {DType::kFloat64, LoadReal<double>, StoreReal<double>},
    {DType::kFloat16, LoadReal<Float16>, StoreHalf<DType::kFloat16>},
    {DType::kBfloat16, LoadReal<Bfloat16>, StoreHalf<DType::kBfloat16>},
    {DType::kFloat8E4m3fn, LoadSmallFloat<DType::kFloat8E4m3fn>,
     StoreSmallFloat<DType::kFloat8E4m3fn>},
    {DType::kFloat8E4m3fnuz, LoadSmallFloat<DType::kFloat8E4m3fnuz>,
     StoreSmallFloat<DType::kFloat8E4m3fnuz>},
    {DType::kFloat8E5m2, LoadSmallFloat<DType::kFloat8E5m2>, StoreSmallFloat<DType::kFloat8E5m2>},
    {DType::kFloat8E5m2fnuz, LoadSmallFloat<DType::kFloat8E5m2fnuz>,
     StoreSmallFloat<DType::kFloat8E5m2fnuz>},
    {DType::kFloat4E2m1, LoadSmallFloat<DType::kFloat4E2m1>, StoreSmallFloat<DType::kFloat4E2m1>},
    {DType::kFloat8E8m0, LoadPowerOfTwo, StorePowerOfTwo},
    {DType::kInt8, LoadInteger<int8_t>, StoreInteger<int8_t>},
    {DType::kInt16, LoadInteger<int16_t>, StoreInteger<int16_t>},
    {DType::kInt32, LoadInteger<int32_t>, StoreInteger<int32_t>},
    {DType::kInt64, LoadInteger<int64_t>, StoreInteger<int64_t>},
    {DType::kUint8, LoadInteger<uint8_t>, StoreInteger<uint8_t>},
    {DType::kUint16, LoadInteger<uint16_t>, StoreInteger<uint16_t>},
    {DType::kUint32, LoadInteger<uint32_t>, StoreInteger<uint32_t>},
    {DType::kUint64, LoadInteger<uint64_t>, StoreInteger<uint64_t>},
    {DType::kInt4, LoadNarrowSigned<4>, StoreNarrowSigned<4>},
    {DType::kInt2, LoadNarrowSigned<2>, StoreNarrowSigned<2>},
    {DType::kUint4, LoadNarrowUnsigned<4>, StoreNarrowUnsigned<4>},
    {DType::kUint2, LoadNarrowUnsigned<2>, StoreNarrowUnsigned<2>},
    {DType::kBool, LoadBool, StoreBool},
    {DType::kString, LoadText, StoreText},
};

const CastRow* FindRow(DType dtype) {
  for (const CastRow& row : kRows) {
    if (row.dtype == dtype) return &row;
  }
  return nullptr;
}

template <typename From, typename To>
void ConvertAll(const Tensor& from, Tensor* to) {
  const From* in = from.data<From>();
  To* out = to->mutable_data<To>();
  const int64_t count = from.num_elements();
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<To>(in[i]);
}

// The pairs that models use most, without the table; each agrees with it. False for other pairs.
bool CastCommonPair(const Tensor& from, Tensor* to) {
  const auto is = [&](DType a, DType b) { return from.dtype() == a && to->dtype() == b; };
  if (is(DType::kInt64, DType::kFloat32)) return ConvertAll<int64_t, float>(from, to), true;
  if (is(DType::kInt32, DType::kFloat32)) return ConvertAll<int32_t, float>(from, to), true;
  if (is(DType::kInt32, DType::kInt64)) return ConvertAll<int32_t, int64_t>(from, to), true;
  if (is(DType::kInt64, DType::kInt32)) return ConvertAll<int64_t, int32_t>(from, to), true;
  if (is(DType::kBool, DType::kFloat32)) return ConvertAll<bool, float>(from, to), true;
  if (is(DType::kUint8, DType::kFloat32)) return ConvertAll<uint8_t, float>(from, to), true;
  if (is(DType::kFloat32, DType::kFloat64)) return ConvertAll<float, double>(from, to), true;
  if (is(DType::kFloat64, DType::kFloat32)) return ConvertAll<double, float>(from, to), true;
  if (is(DType::kFloat32, DType::kFloat16)) return ConvertAll<float, Float16>(from, to), true;
  if (is(DType::kFloat16, DType::kFloat32)) return ConvertAll<Float16, float>(from, to), true;
  if (is(DType::kFloat32, DType::kBfloat16)) return ConvertAll<float, Bfloat16>(from, to), true;
  if (is(DType::kBfloat16, DType::kFloat32)) return ConvertAll<Bfloat16, float>(from, to), true;
  return false;
}

absl::StatusOr<PowerRounding> ReadRounding(const Attributes& attributes) {
  const std::string rounding = attributes.String("round_mode", "up");
  if (rounding == "up") return PowerRounding::kUp;
  if (rounding == "down") return PowerRounding::kDown;
  if (rounding == "nearest") return PowerRounding::kNearest;
  return absl::InvalidArgumentError(
      absl::StrCat("round_mode is \"", rounding, "\", expected up, down or nearest"));
}

}  // namespace

absl::Status CastElements(const Tensor& from, Tensor* to, const CastOptions& options) {
  if (from.dtype() == to->dtype()) {
    CopyElements(from, 0, to, 0, from.num_elements());
    return absl::OkStatus();
  }
  if (CastCommonPair(from, to)) return absl::OkStatus();
  const CastRow* source = FindRow(from.dtype());
  const CastRow* target = FindRow(to->dtype());
  if (source == nullptr || target == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("cannot cast ", DTypeName(from.dtype()), " to ", DTypeName(to->dtype())));
  }
  const int64_t count = from.num_elements();
  for (int64_t i = 0; i < count; ++i) {
    const Number number = source->load(from, i);
    if (number.kind == Number::Kind::kNotANumber) {
      return absl::InvalidArgumentError(
          absl::StrCat("element ", i, " is \"", from.data<std::string>()[i].substr(0, 64),
                       "\", expected a number for ", DTypeName(to->dtype())));
    }
    target->store(number, to, i, options);
  }
  return absl::OkStatus();
}

absl::Status CastFirstInput(KernelContext& context, DType dtype) {
  CastOptions options;
  options.saturate = context.attributes().Int("saturate", 1) != 0;
  ASSIGN_OR_RETURN(options.power_rounding, ReadRounding(context.attributes()));
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, x.shape()));
  return CastElements(x, y, options);
}

absl::Status InferCast(InferContext& context, DType dtype) {
  RETURN_IF_ERROR(ReadRounding(context.attributes()).status());
  context.SetOutput(0, dtype, context.shape(0));
  return absl::OkStatus();
}

}  // namespace inferd
