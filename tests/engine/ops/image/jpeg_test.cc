#include "tests/support/image_bytes.h"

namespace inferd::testing {
namespace {

constexpr char kBaseline[] =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/2wBDAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAARCAACAAMDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAA"
    "Cf/EABsQAAIDAQEBAAAAAAAAAAAAAAUHAwQGCAkC/8QAFQEBAQAAAAAAAAAAAAAAAAAABAf/xAAaEQEAAwEBAQAA"
    "AAAAAAAAAAAFAwQGBwEC/9oADAMBAAIRAxEAPwB3fGHiXjF9+V/DTcenI3MToa2yQ2Zs69nNlBqpjMLVWRlggDHW"
    "NJtNhlDOkOTjwowaHpSkyVqSoLH0R8H1HUqV4Y6fgu3do5XlTcLzDrvT+cYgaVScjHYLfavH5Uqdxe/oGpjc9nlj"
    "iKMq7yqbaklWnF9oLpX0rfs1y5YmkFdNOSSZaRPpX2NE69qdAtdqwWkndNqWL2h0+iZvTxyWk3dHoE0nHl7ss6C7"
    "CF5NCxYu2555P//Z";

constexpr char kCmyk[] =
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEB/8AAFAgAAgADBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAkK"
    "/8QAHhAAAgMBAAMBAQAAAAAAAAAABQYDBAcIAQIJAAr/2gAOBEMATQBZAEsAAD8Acv458GcNdK/Mnj3oDozjHlDf"
    "t42LL5NC1zbNr51yDVNc1N/Z2pjJsrxo+kPSeecnhwYSU85A4zMxkoaLXppbd+7YsSe8nly/jZwZw10X8sOD9e6D"
    "4x5Q3bWGLm/PhLBp+yc65Bp+iHRSMO8oCSMMOrsnnGUmPT0RXWUpWpXSc9ZfUl0EtiY6gcQPpV6av59RIoL8ZPn3"
    "TDDB4mpNh/qWmqjKVahWlKn3FqOnSckFWOKKQgaNkSBktd9vXzZIlb90hckmt2p5pL+P3//Z";

TEST(Jpeg, Decodes) { ExpectSixColors(ImageFromBase64(kBaseline), 2); }

TEST(Jpeg, ConvertsInks) {
  const auto picture = Decoded(ImageFromBase64(kCmyk));
  ASSERT_TRUE(picture.ok()) << picture.status();
  EXPECT_EQ(picture->channels, 3);
  EXPECT_NEAR(picture->pixels[0], 255, 40);  // red
  EXPECT_NEAR(picture->pixels[2], 0, 40);
}

TEST(Jpeg, RefusesCutOffData) {
  const std::string bytes = ImageFromBase64(kBaseline);
  ExpectCutsAreRefused(bytes, bytes.size() - 2);
}

TEST(Jpeg, SurvivesDamage) { DecodeDamaged(ImageFromBase64(kBaseline)); }

TEST(Jpeg, RefusesLargeSizesBeforeDecoding) {
  std::string bytes = ImageFromBase64(kBaseline);
  const size_t frame = bytes.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  bytes.replace(frame + 5, 4, "\xFF\x00\xFF\x00", 4);  // height and width
  ExpectTooLarge(bytes);
}

}  // namespace
}  // namespace inferd::testing
