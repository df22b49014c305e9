#include "loadtest/npy_file.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace inferd::loadtest {
namespace {

struct ElementType {
  const char* datatype;
  int64_t bytes;
};

// What NumPy calls a type, without its byte order.
const std::map<std::string, ElementType>& ElementTypes() {
  static const auto& types = *new std::map<std::string, ElementType>{
      {"b1", {"BOOL", 1}},   {"u1", {"UINT8", 1}}, {"u2", {"UINT16", 2}}, {"u4", {"UINT32", 4}},
      {"u8", {"UINT64", 8}}, {"i1", {"INT8", 1}},  {"i2", {"INT16", 2}},  {"i4", {"INT32", 4}},
      {"i8", {"INT64", 8}},  {"f2", {"FP16", 2}},  {"f4", {"FP32", 4}},   {"f8", {"FP64", 8}}};
  return types;
}

// The text after `'key':` in the header's dictionary, or empty.
absl::string_view ValueAfter(absl::string_view header, absl::string_view key) {
  const size_t at = header.find(absl::StrCat("'", key, "':"));
  if (at == absl::string_view::npos) return "";
  return absl::StripLeadingAsciiWhitespace(header.substr(at + key.size() + 3));
}

absl::StatusOr<std::vector<int64_t>> ParseShape(absl::string_view text) {
  const size_t end = text.find(')');
  if (text.empty() || text[0] != '(' || end == absl::string_view::npos) {
    return absl::InvalidArgumentError("expected 'shape': (...) in the .npy header");
  }
  std::vector<int64_t> shape;
  for (absl::string_view part :
       absl::StrSplit(text.substr(1, end - 1), ',', absl::SkipWhitespace())) {
    int64_t dim = 0;
    if (!absl::SimpleAtoi(part, &dim) || dim < 0) {
      return absl::InvalidArgumentError(absl::StrCat("expected a dimension, got '", part, "'"));
    }
    shape.push_back(dim);
  }
  return shape;
}

absl::StatusOr<int64_t> CountElements(const std::vector<int64_t>& shape, int64_t limit) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim != 0 && count > limit / dim) {
      return absl::InvalidArgumentError(
          absl::StrCat("the shape has more elements than the file has bytes (", limit, ")"));
    }
    count *= dim;
  }
  return count;
}

// Fixed-length elements lose their padding and get the protocol's length prefixes.
std::string EncodeBytes(absl::string_view data, int64_t count, int64_t width) {
  std::string raw;
  for (int64_t i = 0; i < count; ++i) {
    absl::string_view element = data.substr(i * width, width);
    while (!element.empty() && element.back() == '\0') element.remove_suffix(1);
    const uint32_t length = element.size();
    raw.append(reinterpret_cast<const char*>(&length), sizeof(length));
    raw.append(element.data(), element.size());
  }
  return raw;
}

absl::StatusOr<NpyArray> ParseBody(absl::string_view header, absl::string_view data) {
  const std::string descr(ValueAfter(header, "descr"));
  const size_t end = descr.find('\'', 1);
  if (descr.size() < 4 || descr[0] != '\'' || end == std::string::npos || descr[1] == '>') {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a little-endian element type, got ", descr.substr(0, 8)));
  }
  if (ValueAfter(header, "fortran_order").substr(0, 5) != "False") {
    return absl::InvalidArgumentError("expected a row-major array, got a column-major one");
  }
  auto shape = ParseShape(ValueAfter(header, "shape"));
  if (!shape.ok()) return shape.status();
  auto count = CountElements(*shape, data.size());
  if (!count.ok()) return count.status();

  const std::string type = descr.substr(2, end - 2);
  auto known = ElementTypes().find(type);
  int64_t width = 0;
  const bool is_text = known == ElementTypes().end() && type[0] == 'S' &&
                       absl::SimpleAtoi(type.substr(1), &width) && width > 0;
  if (known == ElementTypes().end() && !is_text) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected booleans, integers, floats or bytes (S), got ", type));
  }
  if (!is_text) width = known->second.bytes;
  if (width > int64_t{1} << 30 || *count * width != static_cast<int64_t>(data.size())) {
    return absl::InvalidArgumentError(absl::StrCat("expected ", *count, " elements of ", width,
                                                   " bytes, got ", data.size(), " bytes"));
  }
  NpyArray array{is_text ? "BYTES" : known->second.datatype, *std::move(shape), ""};
  array.raw = is_text ? EncodeBytes(data, *count, width) : std::string(data);
  return array;
}

}  // namespace

absl::StatusOr<NpyArray> ParseNpy(absl::string_view contents) {
  if (contents.size() < 12 || contents.substr(0, 6) != absl::string_view("\x93NUMPY", 6)) {
    return absl::InvalidArgumentError("expected a .npy file, got no NUMPY mark at its beginning");
  }
  // Version 1 has a header length of 2 bytes, later ones of 4.
  const bool short_length = contents[6] == 1;
  uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, contents.data() + 8, short_length ? 2 : 4);
  const size_t start = short_length ? 10 : 12;
  if (contents.size() - start < header_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("expected a header of ", header_bytes,
                                                   " bytes, got ", contents.size() - start));
  }
  return ParseBody(contents.substr(start, header_bytes), contents.substr(start + header_bytes));
}

absl::StatusOr<NpyArray> ReadNpyFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  const std::string contents((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
  auto array = ParseNpy(contents);
  if (array.ok()) return array;
  return absl::Status(array.status().code(), absl::StrCat(path, ": ", array.status().message()));
}

}  // namespace inferd::loadtest
