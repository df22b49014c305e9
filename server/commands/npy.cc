#include "server/commands/npy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr absl::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeaderBytes = 1 << 16;
constexpr int kMaxRank = 64;
constexpr size_t kAlignment = 64;

// numpy's kind and size of an element, and ours.
struct NpyType {
  absl::string_view code;
  DType dtype;
};
constexpr NpyType kTypes[] = {
    {"b1", DType::kBool},      {"i1", DType::kInt8},       {"i2", DType::kInt16},
    {"i4", DType::kInt32},     {"i8", DType::kInt64},      {"u1", DType::kUint8},
    {"u2", DType::kUint16},    {"u4", DType::kUint32},     {"u8", DType::kUint64},
    {"f2", DType::kFloat16},   {"f4", DType::kFloat32},    {"f8", DType::kFloat64},
    {"c8", DType::kComplex64}, {"c16", DType::kComplex128}};

struct Header {
  DType dtype = DType::kInvalid;
  bool big_endian = false;
  bool column_major = false;
  Shape shape;
};

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("not a valid .npy file: ", what));
}

// The text after 'key': in the header's dictionary.
absl::StatusOr<absl::string_view> FindEntry(absl::string_view header, absl::string_view key) {
  for (const char* quote : {"'", "\""}) {
    const std::string quoted = absl::StrCat(quote, key, quote);
    const size_t at = header.find(quoted);
    if (at == absl::string_view::npos) continue;
    absl::string_view rest = absl::StripLeadingAsciiWhitespace(header.substr(at + quoted.size()));
    if (!absl::ConsumePrefix(&rest, ":")) break;
    return absl::StripLeadingAsciiWhitespace(rest);
  }
  return Malformed(absl::StrCat("its header has no '", key, "'"));
}

absl::Status ReadType(absl::string_view text, Header* header) {
  const size_t end = text.empty() ? absl::string_view::npos : text.find(text[0], 1);
  if (end == absl::string_view::npos || (text[0] != '\'' && text[0] != '"')) {
    return absl::InvalidArgumentError("records are not supported; expected one plain type");
  }
  const absl::string_view descr = text.substr(1, end - 1);
  const char order = descr.empty() ? '?' : descr[0];
  for (const NpyType& type : kTypes) {
    if (descr.size() > 1 && descr.substr(1) == type.code &&
        (order == '<' || order == '>' || order == '|' || order == '=')) {
      header->dtype = type.dtype;
      header->big_endian = order == '>';
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("element type '",
                                                 absl::Utf8SafeCEscape(descr.substr(0, 32)),
                                                 "' is not supported; expected numbers or bools"));
}

absl::Status ReadShape(absl::string_view text, Header* header) {
  const size_t end = text.find(')');
  if (text.empty() || text[0] != '(' || end == absl::string_view::npos) {
    return Malformed("its shape is no tuple");
  }
  for (absl::string_view part : absl::StrSplit(text.substr(1, end - 1), ',')) {
    part = absl::StripSuffix(absl::StripAsciiWhitespace(part), "L");
    if (part.empty()) continue;
    int64_t dim = 0;
    if (!absl::SimpleAtoi(part, &dim) || dim < 0 || header->shape.rank() >= kMaxRank) {
      return Malformed(
          absl::StrCat("its shape has '", absl::Utf8SafeCEscape(part.substr(0, 32)), "'"));
    }
    header->shape.push_back(dim);
  }
  return header->shape.CheckedElements().status();
}

absl::StatusOr<Header> ReadHeader(absl::string_view text) {
  Header header;
  ASSIGN_OR_RETURN(const absl::string_view descr, FindEntry(text, "descr"));
  RETURN_IF_ERROR(ReadType(descr, &header));
  ASSIGN_OR_RETURN(const absl::string_view order, FindEntry(text, "fortran_order"));
  header.column_major = absl::StartsWith(order, "True");
  if (!header.column_major && !absl::StartsWith(order, "False")) {
    return Malformed("its fortran_order is neither True nor False");
  }
  ASSIGN_OR_RETURN(const absl::string_view shape, FindEntry(text, "shape"));
  RETURN_IF_ERROR(ReadShape(shape, &header));
  return header;
}

uint32_t LittleEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

// Splits a file into the header's text and the data.
absl::Status SplitFile(absl::string_view bytes, absl::string_view* header,
                       absl::string_view* data) {
  if (!absl::ConsumePrefix(&bytes, kMagic) || bytes.size() < 2) {
    return Malformed("it does not begin with numpy's magic");
  }
  const int version = bytes[0];
  bytes.remove_prefix(2);
  if (version < 1 || version > 3) {
    return Malformed(absl::StrCat("its version is ", version, "; supported are 1 to 3"));
  }
  const size_t length_bytes = version == 1 ? 2 : 4;
  if (bytes.size() < length_bytes) return Malformed("it is cut short");
  const size_t length = LittleEndian(bytes.substr(0, length_bytes));
  bytes.remove_prefix(length_bytes);
  if (length > bytes.size() || length > kMaxHeaderBytes) {
    return Malformed(absl::StrCat("its header of ", length, " bytes is cut short"));
  }
  *header = bytes.substr(0, length);
  *data = bytes.substr(length);
  return absl::OkStatus();
}

void SwapBytes(Tensor* tensor, int64_t width) {
  char* at = static_cast<char*>(tensor->mutable_raw());
  for (int64_t i = 0; i < tensor->byte_size() / width; ++i, at += width) {
    std::reverse(at, at + width);
  }
}

// Column-major `source` as a row-major tensor.
absl::StatusOr<Tensor> ToRowMajor(const Tensor& source) {
  const Shape& shape = source.shape();
  ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(source.dtype(), shape));
  const int64_t width = ElementBytes(source.dtype());
  std::vector<int64_t> index(shape.rank(), 0);
  for (int64_t i = 0; i < source.num_elements(); ++i) {
    int64_t from = 0;
    for (int d = shape.rank() - 1; d >= 0; --d) from = from * shape[d] + index[d];
    std::memcpy(static_cast<char*>(result.mutable_raw()) + i * width,
                static_cast<const char*>(source.raw()) + from * width, width);
    for (int d = shape.rank() - 1; d >= 0 && ++index[d] == shape[d]; --d) index[d] = 0;
  }
  return result;
}

// The numpy type that holds a type's values and the tensor to write; nullopt for none.
std::optional<absl::string_view> NumpyCode(DType dtype) {
  for (const NpyType& type : kTypes) {
    if (type.dtype == dtype) return type.code;
  }
  switch (dtype) {
    case DType::kBfloat16:
      return "f4";
    case DType::kInt4:
    case DType::kInt2:
      return "i1";
    case DType::kString:
    case DType::kInvalid:
      return std::nullopt;
    default:
      return "u1";
  }
}

std::string DataBytes(const Tensor& tensor) {
  if (tensor.dtype() != DType::kBfloat16) {
    return std::string(static_cast<const char*>(tensor.raw()), tensor.byte_size());
  }
  std::string bytes(tensor.num_elements() * sizeof(float), '\0');
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const float value = tensor.data<Bfloat16>()[i];
    std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<Tensor> ParseNpy(absl::string_view bytes) {
  absl::string_view header_text;
  absl::string_view data;
  RETURN_IF_ERROR(SplitFile(bytes, &header_text, &data));
  ASSIGN_OR_RETURN(const Header header, ReadHeader(header_text));
  const int64_t needed = header.shape.num_elements() * ElementBytes(header.dtype);
  if (needed != static_cast<int64_t>(data.size())) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", data.size(), " bytes of data; ",
                                                   DTypeName(header.dtype), header.shape.ToString(),
                                                   " needs ", needed));
  }
  ASSIGN_OR_RETURN(Tensor tensor,
                   Tensor::Allocate(header.dtype, header.shape, Layout::kRowMajor, needed + 1));
  if (needed > 0) std::memcpy(tensor.mutable_raw(), data.data(), needed);
  if (header.dtype == DType::kBool) {
    auto* bools = static_cast<uint8_t*>(tensor.mutable_raw());
    for (int64_t i = 0; i < needed; ++i) bools[i] = bools[i] != 0;
  }
  const bool is_complex = header.dtype == DType::kComplex64 || header.dtype == DType::kComplex128;
  const int64_t width = ElementBytes(header.dtype) / (is_complex ? 2 : 1);
  if (header.big_endian) SwapBytes(&tensor, width);
  return header.column_major ? ToRowMajor(tensor) : tensor;
}

absl::StatusOr<Tensor> ReadNpy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  }
  absl::StatusOr<Tensor> tensor = ParseNpy(content.str());
  if (!tensor.ok()) return Annotate(tensor.status(), path);
  return tensor;
}

absl::StatusOr<std::string> FormatNpy(const Tensor& tensor) {
  const auto code = tensor.kind() == ValueKind::kTensor ? NumpyCode(tensor.dtype()) : std::nullopt;
  if (!code) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ", tensor.TypeString(), " cannot be written as .npy"));
  }
  std::string dims;
  for (int64_t dim : tensor.shape().dims()) absl::StrAppend(&dims, dim, ", ");
  const bool one_byte = code->back() == '1';
  std::string header = absl::StrCat("{'descr': '", one_byte ? "|" : "<", *code,
                                    "', 'fortran_order': False, 'shape': (", dims, "), }");
  const size_t prefix = kMagic.size() + 4;
  const size_t used = (prefix + header.size() + 1) % kAlignment;
  header.append(used == 0 ? 0 : kAlignment - used, ' ');
  header.push_back('\n');
  std::string bytes(kMagic.data(), kMagic.size());
  bytes.append(
      {1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)});
  return bytes + header + DataBytes(tensor);
}

absl::Status WriteNpy(const std::string& path, const Tensor& tensor) {
  ASSIGN_OR_RETURN(const std::string bytes, FormatNpy(tensor));
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

}  // namespace inferd
