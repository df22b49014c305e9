#include "engine/ops/utf8_text.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(Utf8Text, ChangesTheCaseOfManyAlphabets) {
  EXPECT_EQ(LowerText("ÀÉ ŁÓDŹ ΑΒΓ ЖЩЯ Ա 42!").value(), "àé łódź αβγ жщя ա 42!");
  EXPECT_EQ(UpperText("àé łódź αβγ жщя ա 42!").value(), "ÀÉ ŁÓDŹ ΑΒΓ ЖЩЯ Ա 42!");
  EXPECT_EQ(LowerText("").value(), "");
}

TEST(Utf8Text, ExceptionsAreThoseOfPython) {
  EXPECT_EQ(UpperText("straße").value(), "STRASSE");
  EXPECT_EQ(LowerText("İ").value(), "i̇");
  EXPECT_EQ(LowerText("ΟΔΟΣ ΣΑΣ. Σ ΑΣ'Α").value(), "οδος σας. σ ασ'α");
}

TEST(Utf8Text, CountsCharactersNotBytes) {
  EXPECT_EQ(CountCharacters("aä€😀").value(), 4);
  EXPECT_EQ(FirstCharacterBytes("€1"), 3);
  EXPECT_EQ(FirstCharacterBytes(""), 0);
}

TEST(Utf8Text, RefusesBytesThatAreNotUtf8) {
  for (const char* text : {"a\xFF", "\xC3", "\xED\xA0\x80", "\xC0\x80"}) {
    EXPECT_FALSE(LowerText(text).ok());
    EXPECT_FALSE(UpperText(text).ok());
    EXPECT_FALSE(CountCharacters(text).ok());
  }
  EXPECT_EQ(FirstCharacterBytes("\xFF"), 0);
  EXPECT_NE(LowerText("ab\xFF").status().message().find("byte 2"), absl::string_view::npos);
}

TEST(Utf8Text, KnowsWhiteSpaceOutsideOfAscii) {
  EXPECT_EQ(LeadingSpaceBytes(" \t\n\u00A0\u3000x"), 8);
  EXPECT_EQ(LeadingSpaceBytes("x "), 0);
  EXPECT_EQ(LeadingSpaceBytes("\xFF"), 0);
}

}  // namespace
}  // namespace inferd
