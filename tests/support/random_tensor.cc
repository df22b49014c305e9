#include "tests/support/random_tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace inferd::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int64_t kHuge[] = {std::numeric_limits<int64_t>::min(),
                             std::numeric_limits<int64_t>::max(),
                             std::numeric_limits<int64_t>::min() + 1,
                             int64_t{1} << 62,
                             int64_t{1} << 40,
                             (int64_t{1} << 32) + 1,
                             std::numeric_limits<int32_t>::max(),
                             std::numeric_limits<int32_t>::min(),
                             -1000000,
                             65536,
                             1000};
constexpr float kFloats[] = {0,     1,         -1,         0.5f,   2,     0.1f,   3,   -0.25f,
                             1e30f, kInfinity, -kInfinity, 1e-40f, 1e10f, 2.5e9f, NAN, -3e38f};
constexpr const char* kWords[] = {"",
                                  "a",
                                  "b",
                                  "1",
                                  "-2.5",
                                  "nan",
                                  "1e400",
                                  "9223372036854775808",
                                  "\xff",
                                  "\xc3\x9f",
                                  "a b c",
                                  "NOTSET",
                                  "SAME_UPPER",
                                  "SAME_LOWER",
                                  "VALID",
                                  "linear",
                                  "nearest",
                                  "cubic",
                                  "bilinear",
                                  "bicubic",
                                  "constant",
                                  "reflect",
                                  "edge",
                                  "wrap",
                                  "zeros",
                                  "border",
                                  "reflection",
                                  "none",
                                  "add",
                                  "mul",
                                  "min",
                                  "max",
                                  "avg",
                                  "floor",
                                  "ceil",
                                  "round_prefer_floor",
                                  "round_prefer_ceil",
                                  "forward",
                                  "reverse",
                                  "bidirectional",
                                  "Tanh",
                                  "Sigmoid",
                                  "Relu",
                                  "LeakyRelu",
                                  "Affine",
                                  "tanh",
                                  "DCR",
                                  "CRD",
                                  "half_pixel",
                                  "align_corners",
                                  "asymmetric",
                                  "pytorch_half_pixel",
                                  "tf_crop_and_resize",
                                  "half_pixel_symmetric",
                                  "TF",
                                  "IDF",
                                  "TFIDF",
                                  "NONE",
                                  "SOFTMAX",
                                  "LOGISTIC",
                                  "SOFTMAX_ZERO",
                                  "PROBIT",
                                  "BRANCH_LEQ",
                                  "BRANCH_LT",
                                  "LEAF",
                                  "SUM",
                                  "AVERAGE",
                                  "MIN",
                                  "MAX",
                                  "L1",
                                  "L2",
                                  "RBF",
                                  "LINEAR",
                                  "POLY",
                                  "SIGMOID",
                                  "TO_STRING",
                                  "TO_FLOAT",
                                  "TO_INT64",
                                  "DENSE",
                                  "SPARSE",
                                  "LOWER",
                                  "UPPER",
                                  "ij,jk->ik",
                                  "ij->ji",
                                  "ii->i",
                                  "...i,...i",
                                  "i,i->",
                                  "bij,bjk",
                                  "i->ii",
                                  "->",
                                  "RGB",
                                  "LEFT",
                                  "RIGHT",
                                  "output_half_pixel"};

constexpr int64_t kMaxElements = 8192;

enum class Style { kSmall, kSigned, kFractions, kSequence, kExtremes };

double RandomNumber(Style style, int64_t index, ByteChooser& choose) {
  switch (style) {
    case Style::kSmall:
      return choose.Below(4);
    case Style::kSigned:
      return choose.Below(9) - 4;
    case Style::kFractions:
      return (choose.Below(256) - 128) / 32.0;
    case Style::kSequence:
      return static_cast<double>(index);
    case Style::kExtremes:
      return kFloats[choose.Below(std::size(kFloats))];
  }
  return 0;
}

// `number` within the range of the integer type, of which `low` and `high` are the limits.
int64_t Clamped(double number, double low, double high) {
  if (std::isnan(number)) return 0;
  if (number >= high) return static_cast<int64_t>(std::nextafter(high, 0));
  return static_cast<int64_t>(std::max(number, low));
}

template <typename T>
void FillNumbers(Style style, ByteChooser& choose, Tensor* tensor) {
  T* data = tensor->mutable_data<T>();
  for (int64_t i = 0; i < tensor->num_elements(); ++i) {
    const double number = RandomNumber(style, i, choose);
    if constexpr (std::is_integral_v<T>) {
      constexpr T kLow = std::numeric_limits<T>::min();
      constexpr T kHigh = std::numeric_limits<T>::max();
      if (style == Style::kExtremes && choose.OneIn(2)) {
        data[i] = choose.OneIn(2) ? kLow : kHigh;
      } else {
        data[i] =
            static_cast<T>(Clamped(number, kLow, std::min(static_cast<double>(kHigh), 9.2e18)));
      }
    } else {
      data[i] = T(static_cast<float>(number));
    }
  }
}

// Types of one byte an element that the engine reads as codes of `bits` bits.
void FillCodes(int bits, bool is_signed, Style style, ByteChooser& choose, Tensor* tensor) {
  for (int64_t i = 0; i < tensor->num_elements(); ++i) {
    int code = style == Style::kExtremes ? choose.Below(256) : choose.Below(4);
    code &= (1 << bits) - 1;
    if (is_signed && code >= 1 << (bits - 1)) code -= 1 << bits;
    tensor->mutable_data<uint8_t>()[i] = static_cast<uint8_t>(code);
  }
}

}  // namespace

ByteChooser::ByteChooser(absl::Span<const uint8_t> bytes) : bytes_(bytes) {
  std::seed_seq seed(bytes.begin(), bytes.begin() + std::min<size_t>(bytes.size(), 6));
  generator_.seed(seed);
}

uint8_t ByteChooser::NextByte() {
  return position_ < bytes_.size() ? bytes_[position_++] : static_cast<uint8_t>(generator_());
}

int ByteChooser::Below(int limit) {
  int number = NextByte();
  if (limit > 64) number = number << 8 | NextByte();
  return number % limit;
}

DType RandomDType(ByteChooser& choose) {
  constexpr DType kCommon[] = {DType::kFloat32, DType::kFloat32, DType::kInt64, DType::kInt32,
                               DType::kFloat16, DType::kUint8,   DType::kBool,  DType::kString};
  if (choose.OneIn(3)) return static_cast<DType>(1 + choose.Below(26));
  return kCommon[choose.Below(std::size(kCommon))];
}

Shape RandomShape(ByteChooser& choose) {
  Shape shape;
  for (int rank = choose.Below(6); rank > 0; --rank) {
    shape.push_back(choose.OneIn(12) ? 0 : 1 + choose.Below(4));
  }
  if (shape.rank() >= 2 && choose.OneIn(40)) {
    shape[choose.Below(shape.rank())] = int64_t{1} << (30 + choose.Below(15));
    shape[choose.Below(shape.rank())] = 0;
  }
  return shape;
}

Tensor RandomTensorOf(DType dtype, Shape shape, ByteChooser& choose) {
  const auto elements = shape.CheckedElements();
  if (!elements.ok() || *elements > kMaxElements) shape = Shape({0});
  Tensor tensor = Tensor::Allocate(dtype, shape).value();
  const auto style = static_cast<Style>(choose.Below(5));
  switch (dtype) {
    case DType::kString:
      for (int64_t i = 0; i < shape.num_elements(); ++i) {
        tensor.mutable_data<std::string>()[i] = RandomWord(choose);
      }
      return tensor;
    case DType::kComplex64:
      for (int64_t i = 0; i < 2 * shape.num_elements(); ++i) {
        tensor.mutable_data<float>()[i] = static_cast<float>(RandomNumber(style, i, choose));
      }
      return tensor;
    case DType::kComplex128:
      for (int64_t i = 0; i < 2 * shape.num_elements(); ++i) {
        tensor.mutable_data<double>()[i] = RandomNumber(style, i, choose);
      }
      return tensor;
    case DType::kBool:
      FillCodes(1, false, style, choose, &tensor);
      return tensor;
    case DType::kInt4:
    case DType::kInt2:
      FillCodes(PackedBits(dtype), true, style, choose, &tensor);
      return tensor;
    default:
      break;
  }
  const absl::Status status = DispatchNumeric(dtype, [&](auto tag) {
    FillNumbers<typename decltype(tag)::type>(style, choose, &tensor);
    return absl::OkStatus();
  });
  if (!status.ok()) FillCodes(PackedBits(dtype), false, style, choose, &tensor);
  return tensor;
}

int64_t RandomHugeInteger(ByteChooser& choose) { return kHuge[choose.Below(std::size(kHuge))]; }

float RandomFloat(ByteChooser& choose) {
  return choose.OneIn(4) ? kFloats[choose.Below(std::size(kFloats))]
                         : static_cast<float>(choose.Below(64)) / 16.0f - 1.0f;
}

std::string RandomWord(ByteChooser& choose) { return kWords[choose.Below(std::size(kWords))]; }

}  // namespace inferd::testing
