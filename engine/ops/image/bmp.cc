#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/image/byte_order.h"
#include "engine/ops/image/picture.h"

namespace inferd::image {
namespace {

enum Compression : uint32_t {
  kPlain = 0,
  kRunLength8 = 1,
  kRunLength4 = 2,
  kMasks = 3,
  kMasksAndAlpha = 6
};
using Color = std::array<uint8_t, 3>;  // red, green, blue

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  bool top_down = false;
  int bits = 0;  // a pixel
  uint32_t compression = kPlain;
  std::array<uint32_t, 3> masks = {};  // red, green, blue in a pixel of 16 or 32 bits
  std::vector<Color> palette;
  size_t pixels_at = 0;
};

uint16_t Read16(Bytes data, size_t at) {
  return static_cast<uint16_t>(ReadLittleEndian(data, at, 2));
}
uint32_t Read32(Bytes data, size_t at) {
  return static_cast<uint32_t>(ReadLittleEndian(data, at, 4));
}

absl::Status CutOff() { return DecodingError("BMP", "it is cut off"); }

bool IsSupported(const Header& header) {
  switch (header.compression) {
    case kPlain:
      return header.bits == 1 || header.bits == 2 || header.bits == 4 || header.bits == 8 ||
             header.bits == 16 || header.bits == 24 || header.bits == 32;
    case kRunLength8:
      return header.bits == 8;
    case kRunLength4:
      return header.bits == 4;
    case kMasks:
    case kMasksAndAlpha:
      return header.bits == 16 || header.bits == 32;
    default:
      return false;
  }
}

// `color_bytes` is what an entry of the palette takes, which starts at `at`. Missing colors are
// black.
void ReadPalette(Bytes data, size_t at, size_t color_bytes, uint32_t used, Header* header) {
  if (header->bits > 8) return;
  const size_t colors = size_t{1} << header->bits;
  header->palette.assign(colors, Color());
  const size_t given = used == 0 ? colors : std::min<size_t>(used, colors);
  for (size_t i = 0; i < given && at + color_bytes <= data.size(); ++i, at += color_bytes) {
    header->palette[i] = {data[at + 2], data[at + 1], data[at]};
  }
}

absl::StatusOr<Header> ReadHeader(Bytes data) {
  constexpr size_t kFileHeader = 14;
  constexpr size_t kOldHeader = 12;  // of OS/2: 16-bit sizes, palette entries of 3 bytes
  constexpr size_t kHeader = 40;
  Header header;
  if (data.size() < kFileHeader + kOldHeader) return CutOff();
  header.pixels_at = Read32(data, 10);
  const size_t size = Read32(data, kFileHeader);
  size_t palette_at = kFileHeader + size;
  uint32_t used_colors = 0;
  if (size == kOldHeader) {
    header.width = Read16(data, 18);
    header.height = Read16(data, 20);
    header.bits = Read16(data, 24);
  } else {
    if (size < kHeader || size > 1024) return DecodingError("BMP", "its header is unknown");
    if (data.size() < kFileHeader + size) return CutOff();
    header.width = static_cast<int32_t>(Read32(data, 18));
    const int64_t height = static_cast<int32_t>(Read32(data, 22));
    header.height = std::abs(height);
    header.top_down = height < 0;
    header.bits = Read16(data, 28);
    header.compression = Read32(data, 30);
    used_colors = Read32(data, 46);
  }
  if (!IsSupported(header)) {
    return DecodingError("BMP", absl::StrCat(header.bits, " bits a pixel with compression ",
                                             header.compression, " are not supported"));
  }
  if (header.compression == kMasks || header.compression == kMasksAndAlpha) {
    constexpr size_t kMasksAt = kFileHeader + kHeader;
    if (data.size() < kMasksAt + 12) return CutOff();
    for (size_t c = 0; c < 3; ++c) header.masks[c] = Read32(data, kMasksAt + 4 * c);
  } else if (header.bits == 16) {
    header.masks = {0x7C00, 0x03E0, 0x001F};
  } else {
    header.masks = {0xFF0000, 0xFF00, 0xFF};
  }
  ReadPalette(data, palette_at, size == kOldHeader ? 3 : 4, used_colors, &header);
  return header;
}

uint8_t* RowFromBottom(const Header& header, Picture* picture, int64_t y) {
  return picture->row(header.top_down ? y : header.height - 1 - y);
}

void PutColor(const Header& header, size_t index, uint8_t* pixel) {
  const Color& color = header.palette[index];
  std::copy(color.begin(), color.end(), pixel);
}

// The bits of `mask` as a number from 0 to 255.
uint8_t MaskedValue(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  return static_cast<uint8_t>(uint64_t{(pixel & mask) >> shift} * 255 / (mask >> shift));
}

// Rows are padded to multiples of 4 bytes.
int64_t RowBytes(const Header& header) { return (header.width * header.bits + 31) / 32 * 4; }

bool HasPlainRows(Bytes data, const Header& header) {
  return header.pixels_at <= data.size() &&
         static_cast<int64_t>(data.size() - header.pixels_at) / RowBytes(header) >= header.height;
}

// Requires HasPlainRows.
void ReadPlain(Bytes data, const Header& header, Picture* picture) {
  const int64_t row_bytes = RowBytes(header);
  for (int64_t y = 0; y < header.height; ++y) {
    const Bytes row = data.subspan(header.pixels_at + y * row_bytes, row_bytes);
    uint8_t* out = RowFromBottom(header, picture, y);
    for (int64_t x = 0; x < header.width; ++x, out += 3) {
      if (header.bits <= 8) {
        const int64_t bit = x * header.bits;
        const int shift = static_cast<int>(8 - header.bits - bit % 8);
        PutColor(header, row[bit / 8] >> shift & ((1 << header.bits) - 1), out);
        continue;
      }
      uint32_t pixel = 0;
      for (int i = header.bits / 8 - 1; i >= 0; --i)
        pixel = pixel << 8 | row[x * header.bits / 8 + i];
      for (int c = 0; c < 3; ++c) out[c] = MaskedValue(pixel, header.masks[c]);
    }
  }
}

// Runs of equal pixels, and stretches of different ones, of 8 or 4 bits. Pixels that are not given
// have color 0; those beyond a row are dropped.
absl::Status ReadRuns(Bytes data, const Header& header, Picture* picture) {
  for (int64_t i = 0; i < header.width * header.height; ++i) {
    PutColor(header, 0, picture->pixels.data() + i * 3);
  }
  const bool half_bytes = header.bits == 4;
  int64_t x = 0;
  int64_t y = 0;
  const auto put = [&](uint8_t byte, int64_t i) {
    const int value = !half_bytes ? byte : i % 2 == 0 ? byte >> 4 : byte & 15;
    if (x < header.width) PutColor(header, value, RowFromBottom(header, picture, y) + x * 3);
    ++x;
  };
  size_t at = header.pixels_at;
  while (y < header.height) {
    if (at + 2 > data.size()) return CutOff();
    const uint8_t count = data[at];
    const uint8_t code = data[at + 1];
    at += 2;
    if (count > 0) {
      for (int i = 0; i < count; ++i) put(code, i);
    } else if (code == 0) {  // end of the row
      x = 0;
      ++y;
    } else if (code == 1) {  // end of the image
      break;
    } else if (code == 2) {  // a step to the right and up
      if (at + 2 > data.size()) return CutOff();
      x += data[at];
      y += data[at + 1];
      at += 2;
    } else {
      const size_t bytes = half_bytes ? (code + 1) / 2 : code;
      if (at + bytes > data.size()) return CutOff();
      for (int i = 0; i < code; ++i) put(data[at + (half_bytes ? i / 2 : i)], i);
      at += bytes + bytes % 2;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Picture> DecodeBmp(Bytes data, int64_t limit_bytes) {
  ASSIGN_OR_RETURN(const Header header, ReadHeader(data));
  RETURN_IF_ERROR(CheckSize(header.width, header.height, 3, limit_bytes));
  const bool runs = header.compression == kRunLength8 || header.compression == kRunLength4;
  if (!runs && !HasPlainRows(data, header)) return CutOff();
  Picture picture = BlankPicture(header.width, header.height, 3);
  if (runs) {
    RETURN_IF_ERROR(ReadRuns(data, header, &picture));
  } else {
    ReadPlain(data, header, &picture);
  }
  return picture;
}

}  // namespace inferd::image
