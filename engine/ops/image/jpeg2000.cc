#include <openjpeg.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/image/byte_order.h"
#include "engine/ops/image/picture.h"

namespace inferd::image {
namespace {

// The library allocates some kilobytes for each tile as soon as it has read the header.
constexpr int64_t kMostTiles = 1 << 14;

int64_t Read32(Bytes data, size_t at) { return static_cast<int64_t>(ReadBigEndian(data, at, 4)); }

// The codestream: all of the data, or what the box "jp2c" holds.
absl::StatusOr<Bytes> FindCodestream(Bytes data) {
  constexpr int64_t kCodestreamBox = 0x6A703263;
  if (data[0] == 0xFF) return data;
  while (data.size() >= 8) {
    uint64_t length = Read32(data, 0);
    size_t header = 8;
    if (length == 0) length = data.size();
    if (length == 1 && data.size() >= 16) {
      length = ReadBigEndian(data, 8, 8);
      header = 16;
    }
    if (length < header) break;
    if (Read32(data, 4) == kCodestreamBox) return data.subspan(header);
    if (length > data.size()) break;
    data.remove_prefix(length);
  }
  return DecodingError("JPEG 2000", "it holds no codestream");
}

// What the library would allocate from the sizes at the start of the codestream.
absl::Status CheckCodestream(Bytes stream, int64_t limit_bytes) {
  constexpr size_t kHeaderBytes = 42;
  if (stream.size() < kHeaderBytes || Read32(stream, 0) != 0xFF4FFF51) {
    return DecodingError("JPEG 2000", "it does not start with its sizes");
  }
  const int64_t width = Read32(stream, 8) - Read32(stream, 16);
  const int64_t height = Read32(stream, 12) - Read32(stream, 20);
  const auto components = static_cast<int64_t>(ReadBigEndian(stream, 40, 2));
  if (components < 1 || components > 4) {
    return DecodingError("JPEG 2000",
                         absl::StrCat("it has ", components, " components; expected 1 to 4"));
  }
  // A sample is a 32-bit integer, twice while a tile is decoded.
  RETURN_IF_ERROR(CheckSize(width, height, components * 8 + 3, limit_bytes));
  const int64_t tile_width = Read32(stream, 24);
  const int64_t tile_height = Read32(stream, 28);
  if (tile_width == 0 || tile_height == 0 ||
      (Read32(stream, 8) / tile_width + 1) * (Read32(stream, 12) / tile_height + 1) > kMostTiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the JPEG 2000 image has tiles of ", tile_width, "x", tile_height,
                     " pixels; the limit is ", kMostTiles, " tiles"));
  }
  return absl::OkStatus();
}

// Where the library reads from. Used by one thread at a time.
struct Source {
  Bytes data;
  size_t at = 0;

  static OPJ_SIZE_T Read(void* buffer, OPJ_SIZE_T count, void* user) {
    auto* self = static_cast<Source*>(user);
    count = std::min<OPJ_SIZE_T>(count, self->data.size() - self->at);
    if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
    std::memcpy(buffer, self->data.data() + self->at, count);
    self->at += count;
    return count;
  }
  static OPJ_OFF_T Skip(OPJ_OFF_T count, void* user) {
    auto* self = static_cast<Source*>(user);
    if (count < 0) return -1;
    count = std::min<OPJ_OFF_T>(count, static_cast<OPJ_OFF_T>(self->data.size() - self->at));
    self->at += count;
    return count;
  }
  static OPJ_BOOL Seek(OPJ_OFF_T position, void* user) {
    auto* self = static_cast<Source*>(user);
    if (position < 0 || position > static_cast<OPJ_OFF_T>(self->data.size())) return OPJ_FALSE;
    self->at = position;
    return OPJ_TRUE;
  }
};

struct DestroyImage {
  void operator()(opj_image_t* image) const { opj_image_destroy(image); }
};
using Image = std::unique_ptr<opj_image_t, DestroyImage>;
// The library's types for these are void pointers.
using Stream = std::unique_ptr<opj_stream_t, decltype(&opj_stream_destroy)>;
using Codec = std::unique_ptr<opj_codec_t, decltype(&opj_destroy_codec)>;

absl::StatusOr<Image> Decode(Bytes data) {
  Source source{data};
  const Stream stream(opj_stream_default_create(OPJ_TRUE), opj_stream_destroy);
  const Codec codec(opj_create_decompress(data[0] == 0xFF ? OPJ_CODEC_J2K : OPJ_CODEC_JP2),
                    opj_destroy_codec);
  if (stream == nullptr || codec == nullptr) {
    return absl::ResourceExhaustedError("no memory for the JPEG 2000 decoder");
  }
  opj_stream_set_read_function(stream.get(), Source::Read);
  opj_stream_set_skip_function(stream.get(), Source::Skip);
  opj_stream_set_seek_function(stream.get(), Source::Seek);
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), data.size());
  std::string message = "it is damaged";
  opj_set_error_handler(
      codec.get(), [](const char* text, void* user) { *static_cast<std::string*>(user) = text; },
      &message);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* read = nullptr;
  const bool has_header = opj_setup_decoder(codec.get(), &parameters) != OPJ_FALSE &&
                          opj_read_header(stream.get(), codec.get(), &read) != OPJ_FALSE;
  Image image(read);
  if (!has_header || opj_decode(codec.get(), stream.get(), image.get()) == OPJ_FALSE) {
    while (!message.empty() && message.back() == '\n') message.pop_back();
    return DecodingError("JPEG 2000", message);
  }
  return image;
}

// One component's samples as 8-bit values; components may be coarser than the image.
class Plane {
 public:
  Plane(const opj_image_t& image, int component)
      : image_(image), component_(image.comps[component]) {}

  bool valid() const {
    return component_.data != nullptr && component_.w > 0 && component_.h > 0 &&
           component_.dx > 0 && component_.dy > 0 && component_.prec >= 1 && component_.prec <= 31;
  }
  uint8_t At(int64_t x, int64_t y) const {
    const int64_t column = (int64_t{image_.x0} + x) / component_.dx - component_.x0;
    const int64_t row = (int64_t{image_.y0} + y) / component_.dy - component_.y0;
    int64_t value = component_.data[std::clamp<int64_t>(row, 0, component_.h - 1) * component_.w +
                                    std::clamp<int64_t>(column, 0, component_.w - 1)];
    const int bits = static_cast<int>(component_.prec);
    if (component_.sgnd != 0) value += int64_t{1} << (bits - 1);
    value = bits >= 8 ? value >> (bits - 8) : value * 255 / ((1 << bits) - 1);
    return static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255));
  }

 private:
  const opj_image_t& image_;
  const opj_image_comp_t& component_;
};

uint8_t Clamped(double value) {
  return static_cast<uint8_t>(std::clamp(std::round(value), 0.0, 255.0));
}

// Luma and two chroma values to red, green, blue.
void ConvertYcc(uint8_t* pixel) {
  const double y = pixel[0];
  const double blue = pixel[1] - 128.0;
  const double red = pixel[2] - 128.0;
  pixel[0] = Clamped(y + 1.402 * red);
  pixel[1] = Clamped(y - 0.344136 * blue - 0.714136 * red);
  pixel[2] = Clamped(y + 1.772 * blue);
}

}  // namespace

absl::StatusOr<Picture> DecodeJpeg2000(Bytes data, int64_t limit_bytes) {
  ASSIGN_OR_RETURN(const Bytes stream, FindCodestream(data));
  RETURN_IF_ERROR(CheckCodestream(stream, limit_bytes));
  ASSIGN_OR_RETURN(const Image image, Decode(data));
  const int64_t width = int64_t{image->x1} - image->x0;
  const int64_t height = int64_t{image->y1} - image->y0;
  RETURN_IF_ERROR(CheckSize(width, height, 3, limit_bytes));
  if (image->numcomps < 1 || image->color_space == OPJ_CLRSPC_CMYK) {
    return DecodingError("JPEG 2000", "its color space is not supported");
  }
  // One more component than a color takes is transparency.
  Picture picture = BlankPicture(width, height, image->numcomps < 3 ? 1 : 3);
  for (int c = 0; c < picture.channels; ++c) {
    const Plane plane(*image, c);
    if (!plane.valid()) return DecodingError("JPEG 2000", "a component is missing");
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        picture.row(y)[x * picture.channels + c] = plane.At(x, y);
      }
    }
  }
  const bool ycc = image->color_space == OPJ_CLRSPC_SYCC || image->color_space == OPJ_CLRSPC_EYCC ||
                   (picture.channels == 3 && image->comps[0].dx == 1 && image->comps[1].dx > 1);
  if (picture.channels == 3 && ycc) {
    for (int64_t i = 0; i < width * height; ++i) ConvertYcc(picture.pixels.data() + i * 3);
  }
  return picture;
}

}  // namespace inferd::image
