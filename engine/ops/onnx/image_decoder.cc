#include <string>

#include "engine/core/status_macros.h"
#include "engine/ops/image/picture.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum class PixelFormat : uint8_t { kRgb, kBgr, kGrayscale };

absl::StatusOr<PixelFormat> ReadPixelFormat(const Attributes& attributes) {
  const std::string format = attributes.String("pixel_format", "RGB");
  if (format == "RGB") return PixelFormat::kRgb;
  if (format == "BGR") return PixelFormat::kBgr;
  if (format == "Grayscale") return PixelFormat::kGrayscale;
  return absl::InvalidArgumentError(
      absl::StrCat("pixel_format is \"", format, "\", expected RGB, BGR or Grayscale"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kUint8}));
  ASSIGN_OR_RETURN(const PixelFormat format, ReadPixelFormat(context.attributes()));
  if (context.shape(0).has_rank() && context.shape(0).rank() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "encoded_stream has shape ", context.shape(0).ToString(), ", expected a list of bytes"));
  }
  context.SetOutput(0, DType::kUint8,
                    {Dim(), Dim(), Dim(format == PixelFormat::kGrayscale ? 1 : 3)});
  return absl::OkStatus();
}

// The luma of ITU-R BT.601, rounded.
uint8_t Luma(int red, int green, int blue) {
  return static_cast<uint8_t>((red * 19595 + green * 38470 + blue * 7471 + (1 << 15)) >> 16);
}

void Convert(const image::Picture& picture, PixelFormat format, uint8_t* out) {
  const uint8_t* pixel = picture.pixels.data();
  for (int64_t i = 0; i < picture.width * picture.height; ++i, pixel += picture.channels) {
    const uint8_t red = pixel[0];
    const uint8_t green = picture.channels == 1 ? red : pixel[1];
    const uint8_t blue = picture.channels == 1 ? red : pixel[2];
    if (format == PixelFormat::kGrayscale) {
      *out++ = picture.channels == 1 ? red : Luma(red, green, blue);
      continue;
    }
    *out++ = format == PixelFormat::kRgb ? red : blue;
    *out++ = green;
    *out++ = format == PixelFormat::kRgb ? blue : red;
  }
}

// Data that cannot be decoded are an error that says why, where the standard's text has an empty
// image: what the model would make of one is a wrong answer or an error about something else.
absl::Status Compute(KernelContext& context) {
  const Tensor& stream = context.input(0);
  ASSIGN_OR_RETURN(const PixelFormat format, ReadPixelFormat(context.attributes()));
  ASSIGN_OR_RETURN(const image::Picture picture,
                   image::DecodePicture(stream.values<uint8_t>(), context.limit_bytes()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kUint8,
                                              {picture.height, picture.width,
                                               format == PixelFormat::kGrayscale ? 1 : 3}));
  Convert(picture, format, y->mutable_data<uint8_t>());
  return absl::OkStatus();
}

}  // namespace

OpDef ImageDecoder() {
  return {.name = "ImageDecoder",
          .since = 20,
          .attributes = {{"pixel_format", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
