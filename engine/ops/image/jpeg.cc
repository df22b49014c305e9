#include <csetjmp>
#include <cstdio>
#include <cstring>

// After <cstdio>, which it needs and does not include.
#include <jerror.h>
#include <jpeglib.h>

#include "engine/core/status_macros.h"
#include "engine/ops/image/picture.h"

namespace inferd::image {
namespace {

// A progressive image may repeat its scans to cost time without end.
constexpr int kMostScans = 200;

// The library's state. Its errors jump to `failed`: only functions without objects that need
// destruction call setjmp, and only the library's frames lie between.
struct Decompressor {
  Decompressor() {
    std::memset(&info, 0, sizeof(info));
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) { Fail(common); };
    errors.output_message = [](j_common_ptr) {};
    errors.emit_message = [](j_common_ptr common, int level) {
      const int code = common->err->msg_code;
      // Where data are missing the library would make them up.
      const bool missing =
          code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE;
      if (level < 0 && missing) Fail(common);
    };
    progress.progress_monitor = [](j_common_ptr common) {
      if (reinterpret_cast<j_decompress_ptr>(common)->input_scan_number > kMostScans) Fail(common);
    };
  }
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  [[noreturn]] static void Fail(j_common_ptr common) {
    auto* self = static_cast<Decompressor*>(common->client_data);
    common->err->format_message(common, self->message);
    std::longjmp(self->failed, 1);
  }

  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress = {};
  std::jmp_buf failed;
  char message[JMSG_LENGTH_MAX] = {};
};

bool ReadHeader(Decompressor& decompressor, const uint8_t* data, size_t size) {
  jpeg_decompress_struct& info = decompressor.info;
  if (setjmp(decompressor.failed) != 0) return false;
  jpeg_create_decompress(&info);
  info.progress = &decompressor.progress;
  jpeg_mem_src(&info, data, size);
  jpeg_read_header(&info, TRUE);
  return true;
}

// Requires room for height rows of width * output components bytes.
bool ReadRows(Decompressor& decompressor, uint8_t* pixels) {
  jpeg_decompress_struct& info = decompressor.info;
  if (setjmp(decompressor.failed) != 0) return false;
  jpeg_start_decompress(&info);
  const size_t row_bytes = size_t{info.output_width} * info.output_components;
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

// Chooses what the library converts to; 0 for what it cannot.
int64_t ChooseChannels(jpeg_decompress_struct* info) {
  switch (info->jpeg_color_space) {
    case JCS_GRAYSCALE:
      info->out_color_space = JCS_GRAYSCALE;
      return 1;
    case JCS_RGB:
    case JCS_YCbCr:
      info->out_color_space = JCS_RGB;
      return 3;
    case JCS_CMYK:
    case JCS_YCCK:
      info->out_color_space = JCS_CMYK;
      return 4;
    default:
      return 0;
  }
}

// Adobe's files hold inverted inks.
Picture ConvertInks(const Picture& inks, bool inverted) {
  Picture picture = BlankPicture(inks.width, inks.height, 3);
  for (int64_t i = 0; i < inks.width * inks.height; ++i) {
    const uint8_t* from = inks.pixels.data() + i * 4;
    const int black = inverted ? from[3] : 255 - from[3];
    for (int c = 0; c < 3; ++c) {
      const int ink = inverted ? from[c] : 255 - from[c];
      picture.pixels[i * 3 + c] = static_cast<uint8_t>((ink * black + 127) / 255);
    }
  }
  return picture;
}

}  // namespace

absl::StatusOr<Picture> DecodeJpeg(Bytes data, int64_t limit_bytes) {
  Decompressor decompressor;
  if (!ReadHeader(decompressor, data.data(), data.size())) {
    return DecodingError("JPEG", decompressor.message);
  }
  jpeg_decompress_struct& info = decompressor.info;
  const int64_t channels = ChooseChannels(&info);
  if (channels == 0) return DecodingError("JPEG", "its color space is unknown");
  // Progressive images keep two bytes of coefficients for each sample.
  RETURN_IF_ERROR(CheckSize(info.image_width, info.image_height, 3 * channels, limit_bytes));
  Picture picture = BlankPicture(info.image_width, info.image_height, channels);
  if (!ReadRows(decompressor, picture.pixels.data())) {
    return DecodingError("JPEG", decompressor.message);
  }
  return channels == 4 ? ConvertInks(picture, info.saw_Adobe_marker != FALSE) : picture;
}

}  // namespace inferd::image
