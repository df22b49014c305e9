// The image decoders on arbitrary bytes: they may refuse, and must do nothing else.
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "engine/ops/image/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto picture = inferd::image::DecodePicture({data, size}, int64_t{16} << 20);
  if (picture.ok() &&
      picture->pixels.size() != static_cast<size_t>(picture->height * picture->row_bytes())) {
    __builtin_trap();
  }
  return 0;
}
