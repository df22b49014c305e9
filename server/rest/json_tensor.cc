#include "server/rest/json_tensor.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "absl/strings/charconv.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"
#include "server/http/http_message.h"
#include "server/model/tensor_types.h"
#include "server/rpc/typed_contents.h"

namespace inferd {
namespace {

constexpr int64_t kLengthBytes = 4;  // before each BYTES element
constexpr size_t kShownBytes = 32;   // of a client's value in a message

template <typename T>
void AppendBytes(T value, std::string* raw) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  raw->append(bytes, sizeof(T));
}

// Appends the number that `text` is; false where it is none of that type or out of its range.
template <typename T>
bool AppendNumber(absl::string_view text, std::string* raw) {
  T value;
  const char* const end = text.data() + text.size();
  if constexpr (std::is_floating_point_v<T>) {
    const absl::from_chars_result result = absl::from_chars(text.data(), end, value);
    if (result.ptr != end) return false;
    if (result.ec == std::errc::result_out_of_range) {
      // Too small is zero; too large is an error.
      double wide;
      absl::from_chars(text.data(), end, wide);
      if (std::abs(wide) > 1) return false;
      value = static_cast<T>(wide);
    } else if (result.ec != std::errc()) {
      return false;
    }
  } else {
    const std::from_chars_result result = std::from_chars(text.data(), end, value);
    if (result.ptr != end || result.ec != std::errc()) return false;
  }
  AppendBytes(value, raw);
  return true;
}

using AppendFunction = bool (*)(absl::string_view text, std::string* raw);

AppendFunction NumberAppender(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
      return AppendNumber<int8_t>;
    case DType::kInt16:
      return AppendNumber<int16_t>;
    case DType::kInt32:
      return AppendNumber<int32_t>;
    case DType::kInt64:
      return AppendNumber<int64_t>;
    case DType::kUint8:
      return AppendNumber<uint8_t>;
    case DType::kUint16:
      return AppendNumber<uint16_t>;
    case DType::kUint32:
      return AppendNumber<uint32_t>;
    case DType::kUint64:
      return AppendNumber<uint64_t>;
    case DType::kFloat32:
      return AppendNumber<float>;
    case DType::kFloat64:
      return AppendNumber<double>;
    default:
      return nullptr;
  }
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ","), "]");
}

// Takes the elements and checks their nesting.
class TensorReader : public JsonElements {
 public:
  TensorReader(DType dtype, absl::Span<const int64_t> shape, int64_t elements, std::string* raw)
      : dtype_(dtype),
        append_(NumberAppender(dtype)),
        shape_(shape),
        elements_(elements),
        raw_(*raw) {
    counts_[0] = 0;
  }

  bool Bool(bool value) override {
    if (dtype_ != DType::kBool) return WrongType(value ? "true" : "false");
    if (!Count()) return false;
    raw_.push_back(value ? 1 : 0);
    return true;
  }
  bool Number(absl::string_view text) override {
    if (append_ == nullptr || !append_(text, &raw_)) return WrongType(text.substr(0, kShownBytes));
    return Count();
  }
  bool String(absl::string_view text) override {
    if (dtype_ != DType::kString) {
      return WrongType(absl::StrCat("the string '", text.substr(0, kShownBytes), "'"));
    }
    if (!Count()) return false;
    AppendTextElement(text, &raw_);
    return true;
  }
  bool Null() override { return WrongType("null"); }

  bool StartArray() override {
    if (depth_ == 1 && counts_[1] == 0) nested_ = true;
    if (depth_ >= 1) {
      if (!nested_) return Fail("arrays and elements are mixed");
      if (depth_ >= static_cast<int>(shape_.size())) {
        return Fail(absl::StrCat("nested deeper than the shape ", ShapeText(shape_)));
      }
      ++counts_[depth_];
    }
    counts_[++depth_] = 0;
    return true;
  }
  bool EndArray() override {
    const int64_t count = counts_[depth_];
    const bool is_flat_list = !nested_ && depth_ == 1;
    const int64_t expected = is_flat_list ? elements_ : shape_[depth_ - 1];
    // [] stands for no elements however many dimensions there are.
    if (count != expected) {
      return Fail(is_flat_list
                      ? absl::StrCat("expected ", elements_, " elements for the shape ",
                                     ShapeText(shape_), ", got ", count)
                      : absl::StrCat("expected ", expected, " entries in each array of dimension ",
                                     depth_ - 1, " of the shape ", ShapeText(shape_), ", got ",
                                     count, " before element ", taken_));
    }
    --depth_;
    return true;
  }

  // Why a method was false.
  const absl::Status& status() const { return status_; }

 private:
  // One more element at this place.
  bool Count() {
    if (nested_ && depth_ != static_cast<int>(shape_.size())) {
      return Fail(absl::StrCat("element ", taken_, " stands where the shape ", ShapeText(shape_),
                               " has an array"));
    }
    ++counts_[depth_];
    if (++taken_ > elements_) {
      return Fail(absl::StrCat("expected ", elements_, " elements for the shape ",
                               ShapeText(shape_), ", got more"));
    }
    return true;
  }
  bool Fail(std::string message) {
    status_ = absl::InvalidArgumentError(message);
    return false;
  }
  bool WrongType(absl::string_view got) {
    return Fail(
        absl::StrCat("element ", taken_, ": expected ", ProtocolTypeName(dtype_), ", got ", got));
  }

  const DType dtype_;
  const AppendFunction append_;
  const absl::Span<const int64_t> shape_;
  const int64_t elements_;
  std::string& raw_;
  absl::Status status_ = absl::InvalidArgumentError("expected an array of elements");
  int depth_ = 0;
  bool nested_ = false;
  int64_t taken_ = 0;
  int64_t counts_[kMaxRank + 2];  // entries of the open array of each depth
};

// What `elements` take on the wire at most, if they come from so many characters.
int64_t RawBytes(DType dtype, int64_t elements, size_t text_bytes) {
  const auto text = static_cast<int64_t>(text_bytes);
  if (dtype == DType::kString) return std::min(elements, text + 1) * kLengthBytes + text;
  // An element takes a character and a comma.
  return std::min(elements, text / 2 + 1) * ElementBytes(dtype);
}

absl::Status NoJsonForm(DType dtype) {
  return absl::InvalidArgumentError(absl::StrCat(
      ProtocolTypeName(dtype), " has no JSON form: send and ask for it as binary data"));
}

bool ReadOne(const JsonValue& value, TensorReader* reader) {
  switch (value.kind) {
    case JsonValue::Kind::kBool:
      return reader->Bool(value.boolean);
    case JsonValue::Kind::kNumber:
      return reader->Number(value.text);
    case JsonValue::Kind::kString:
      return reader->String(value.text);
    case JsonValue::Kind::kNull:
      return reader->Null();
    default:
      return false;
  }
}

template <typename T>
void AppendText(T value, std::string* out) {
  char text[64];
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) {
      out->append("NaN");
      return;
    }
    if (std::isinf(value)) {
      out->append(value < 0 ? "-Infinity" : "Infinity");
      return;
    }
  }
  const std::to_chars_result result = std::to_chars(text, text + sizeof(text), value);
  const absl::string_view written(text, result.ptr - text);
  out->append(written.data(), written.size());
  if (std::is_floating_point_v<T> && written.find_first_of(".e") == absl::string_view::npos) {
    out->append(".0");
  }
}

absl::Status TooLong(int64_t max_bytes) {
  return absl::ResourceExhaustedError(absl::StrCat("the reply as JSON has more than ", max_bytes,
                                                   " bytes; binary data takes fewer"));
}

template <typename T>
absl::Status AppendNumbers(absl::string_view raw, int64_t max_bytes, std::string* out) {
  for (size_t at = 0; at + sizeof(T) <= raw.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, raw.data() + at, sizeof(T));
    if (at > 0) out->push_back(',');
    AppendText(value, out);
    if (static_cast<int64_t>(out->size()) > max_bytes) return TooLong(max_bytes);
  }
  return absl::OkStatus();
}

absl::Status AppendBools(absl::string_view raw, int64_t max_bytes, std::string* out) {
  for (size_t i = 0; i < raw.size(); ++i) {
    absl::StrAppend(out, i > 0 ? "," : "", raw[i] != 0 ? "true" : "false");
    if (static_cast<int64_t>(out->size()) > max_bytes) return TooLong(max_bytes);
  }
  return absl::OkStatus();
}

absl::Status CheckUtf8(absl::string_view text, int64_t element) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("element ", element, " is no UTF-8 text: ask for it as binary data"));
    }
    text.remove_prefix(length);
  }
  return absl::OkStatus();
}

absl::Status AppendStrings(absl::string_view raw, int64_t max_bytes, std::string* out) {
  for (int64_t element = 0; !raw.empty(); ++element) {
    uint32_t length;
    std::memcpy(&length, raw.data(), kLengthBytes);
    const absl::string_view text = raw.substr(kLengthBytes, length);
    RETURN_IF_ERROR(CheckUtf8(text, element));
    if (element > 0) out->push_back(',');
    AppendJsonString(text, out);
    if (static_cast<int64_t>(out->size()) > max_bytes) return TooLong(max_bytes);
    raw.remove_prefix(kLengthBytes + length);
  }
  return absl::OkStatus();
}

}  // namespace

void AppendTextElement(absl::string_view text, std::string* raw) {
  AppendBytes(static_cast<uint32_t>(text.size()), raw);
  raw->append(text.data(), text.size());
}

absl::Status DecodeJsonData(const JsonValue& data, DType dtype, absl::Span<const int64_t> shape,
                            InflightCharge* charge, std::string* raw) {
  if (dtype == DType::kFloat16 || dtype == DType::kBfloat16) return NoJsonForm(dtype);
  int64_t elements = 1;
  for (const int64_t dim : shape) elements *= dim;
  const bool is_array = data.kind == JsonValue::Kind::kSpan;
  if (!is_array && !shape.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("data: expected an array, got ", data.KindName()));
  }
  const int64_t bytes = RawBytes(dtype, elements, is_array ? data.span.size() : data.text.size());
  RETURN_IF_ERROR(charge->Add(bytes));
  if (dtype != DType::kString) raw->reserve(raw->size() + bytes);
  TensorReader reader(dtype, shape, elements, raw);
  const bool taken = is_array ? ReadElements(data.span, &reader) : ReadOne(data, &reader);
  return taken ? absl::OkStatus() : reader.status();
}

absl::Status EncodeJsonElement(absl::string_view raw, DType dtype, int64_t max_bytes,
                               std::string* out) {
  switch (dtype) {
    case DType::kBool:
      return AppendBools(raw, max_bytes, out);
    case DType::kInt8:
      return AppendNumbers<int8_t>(raw, max_bytes, out);
    case DType::kInt16:
      return AppendNumbers<int16_t>(raw, max_bytes, out);
    case DType::kInt32:
      return AppendNumbers<int32_t>(raw, max_bytes, out);
    case DType::kInt64:
      return AppendNumbers<int64_t>(raw, max_bytes, out);
    case DType::kUint8:
      return AppendNumbers<uint8_t>(raw, max_bytes, out);
    case DType::kUint16:
      return AppendNumbers<uint16_t>(raw, max_bytes, out);
    case DType::kUint32:
      return AppendNumbers<uint32_t>(raw, max_bytes, out);
    case DType::kUint64:
      return AppendNumbers<uint64_t>(raw, max_bytes, out);
    case DType::kFloat32:
      return AppendNumbers<float>(raw, max_bytes, out);
    case DType::kFloat64:
      return AppendNumbers<double>(raw, max_bytes, out);
    case DType::kString:
      return AppendStrings(raw, max_bytes, out);
    default:
      return NoJsonForm(dtype);
  }
}

absl::Status EncodeJsonData(absl::string_view raw, DType dtype, int64_t max_bytes,
                            std::string* out) {
  out->push_back('[');
  RETURN_IF_ERROR(EncodeJsonElement(raw, dtype, max_bytes, out));
  out->push_back(']');
  return absl::OkStatus();
}

}  // namespace inferd
