#include <algorithm>
#include <optional>

#include "engine/core/status_macros.h"
#include "engine/ops/image/picture.h"

namespace inferd::image {
namespace {

bool IsSpace(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
bool IsDigit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

// Reads numbers as text, and bytes. Used by one thread at a time.
class Reader {
 public:
  explicit Reader(Bytes data) : data_(data) {}

  bool done() const { return at_ >= data_.size(); }
  uint8_t Next() { return data_[at_++]; }
  size_t left() const { return data_.size() - at_; }

  // White space and comments, which go from # to the end of the line.
  void SkipBlanks() {
    for (bool comment = false; !done(); ++at_) {
      if (data_[at_] == '#') comment = true;
      if (data_[at_] == '\n') comment = false;
      if (!comment && !IsSpace(data_[at_])) return;
    }
  }
  // The next number; nothing when there is none, or one of more than `most_digits` digits.
  std::optional<int64_t> Number(int most_digits = 9) {
    SkipBlanks();
    if (done() || !IsDigit(data_[at_])) return std::nullopt;
    int64_t number = 0;
    for (int digits = 0; !done() && IsDigit(data_[at_]); ++digits) {
      if (digits == most_digits) return std::nullopt;
      number = number * 10 + (Next() - '0');
    }
    return number;
  }

 private:
  Bytes data_;
  size_t at_ = 0;
};

// "P1" to "P6": a bitmap, grey or color, as text or (from P4 on) binary.
struct Format {
  bool bitmap;
  bool text;
  int64_t channels;
  int64_t most;  // the value of white
};

absl::Status CutOff() { return DecodingError("PNM", "it is cut off"); }

// What the pixels take at least.
int64_t LeastBytes(const Format& format, int64_t width, int64_t height) {
  if (format.text) return width * height * format.channels;
  if (format.bitmap) return (width + 7) / 8 * height;
  return width * height * format.channels * (format.most > 255 ? 2 : 1);
}

// Bitmaps: 1 is black; as text the digits need no space between them.
absl::Status ReadBitmap(Reader& reader, const Format& format, Picture* picture) {
  for (int64_t y = 0; y < picture->height; ++y) {
    int byte = 0;
    for (int64_t x = 0; x < picture->width; ++x) {
      bool black = false;
      if (format.text) {
        reader.SkipBlanks();
        if (reader.done()) return CutOff();
        const uint8_t digit = reader.Next();
        if (digit != '0' && digit != '1') return DecodingError("PNM", "a pixel is not 0 or 1");
        black = digit == '1';
      } else {
        if (x % 8 == 0) byte = reader.Next();
        black = (byte >> (7 - x % 8) & 1) != 0;
      }
      picture->row(y)[x] = black ? 0 : 255;
    }
  }
  return absl::OkStatus();
}

absl::Status ReadSamples(Reader& reader, const Format& format, Picture* picture) {
  const bool wide = format.most > 255;
  for (uint8_t& sample : picture->pixels) {
    int64_t value = 0;
    if (format.text) {
      const std::optional<int64_t> number = reader.Number();
      if (!number) return DecodingError("PNM", "a sample is missing or no number");
      value = *number;
    } else {
      value = reader.Next();
      if (wide) value = value * 256 + reader.Next();
    }
    value = std::min(value, format.most);
    sample = static_cast<uint8_t>((value * 255 + format.most / 2) / format.most);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Picture> DecodePnm(Bytes data, int64_t limit_bytes) {
  const int kind = data[1] - '0';
  Format format = {.bitmap = kind == 1 || kind == 4,
                   .text = kind <= 3,
                   .channels = kind == 3 || kind == 6 ? 3 : 1,
                   .most = 1};
  Reader reader(data.subspan(2));
  const std::optional<int64_t> width = reader.Number();
  const std::optional<int64_t> height = reader.Number();
  if (!width || !height) return DecodingError("PNM", "it does not say its size");
  if (!format.bitmap) {
    format.most = reader.Number().value_or(0);
    if (format.most < 1 || format.most > 65535) {
      return DecodingError("PNM", "its largest value is not from 1 to 65535");
    }
  }
  RETURN_IF_ERROR(CheckSize(*width, *height, format.channels, limit_bytes));
  // One blank ends the header; what follows may look like one.
  if (!format.text && (reader.done() || !IsSpace(reader.Next()))) return CutOff();
  if (static_cast<int64_t>(reader.left()) < LeastBytes(format, *width, *height)) return CutOff();
  Picture picture = BlankPicture(*width, *height, format.channels);
  RETURN_IF_ERROR(format.bitmap ? ReadBitmap(reader, format, &picture)
                                : ReadSamples(reader, format, &picture));
  return picture;
}

}  // namespace inferd::image
