#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

Tensor Bytes(const std::string& text) {
  Tensor tensor = Tensor::Allocate(DType::kUint8, {static_cast<int64_t>(text.size())}).value();
  std::copy(text.begin(), text.end(), tensor.mutable_data<uint8_t>());
  return tensor;
}

OpCase Decode(const std::string& text, Tensor image, std::string format) {
  return {.op = "ImageDecoder",
          .inputs = {Bytes(text)},
          .outputs = {std::move(image)},
          .attributes = MakeAttributes({{"pixel_format", format}})};
}

TEST(ImageDecoder, GivesThePixelFormatThatIsAskedFor) {
  const std::string color = "P3 2 1 255 255 0 0 10 20 30";
  const std::string grey = "P2 1 2 255 7 200";
  CheckOpCases({Decode(color, Values<uint8_t>({1, 2, 3}, {255, 0, 0, 10, 20, 30}), "RGB"),
                Decode(color, Values<uint8_t>({1, 2, 3}, {0, 0, 255, 30, 20, 10}), "BGR"),
                Decode(color, Values<uint8_t>({1, 2, 1}, {76, 18}), "Grayscale"),
                Decode(grey, Values<uint8_t>({2, 1, 3}, {7, 7, 7, 200, 200, 200}), "BGR"),
                Decode(grey, Values<uint8_t>({2, 1, 1}, {7, 200}), "Grayscale")});
}

TEST(ImageDecoder, SaysWhatCannotBeDecoded) {
  const Tensor any = Values<uint8_t>({1, 1, 3}, {0, 0, 0});
  ExpectOpError(Decode("hello", any, "RGB"), "5 bytes that start with \"hello\"");
  ExpectOpError(Decode("", any, "RGB"), "0 bytes");
  ExpectOpError(Decode("P5 3 3 255 ab", any, "RGB"), "cut off");
  ExpectOpError(Decode("P5 99999 99999 255 ab", any, "RGB"), "99999x99999");
  ExpectOpError(Decode("P2 1 1 255 9", any, "rgb"), "pixel_format");
}

}  // namespace
}  // namespace inferd::testing
