#include "loadtest/npy_file.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace inferd::loadtest {
namespace {

std::string Npy(const std::string& descr, const std::string& shape, const std::string& data,
                const std::string& order = "False") {
  const std::string header = absl::StrCat("{'descr': '", descr, "', 'fortran_order': ", order,
                                          ", 'shape': ", shape, ", }\n");
  const uint16_t length = header.size();
  return absl::StrCat(std::string("\x93NUMPY\1\0", 8),
                      std::string(reinterpret_cast<const char*>(&length), 2), header, data);
}

TEST(NpyFile, ReadsFloatsWithTheirShape) {
  auto array = ParseNpy(Npy("<f4", "(2, 3)", std::string(24, 'x')));
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->datatype, "FP32");
  EXPECT_EQ(array->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(array->raw, std::string(24, 'x'));
}

TEST(NpyFile, ReadsScalarsVectorsAndEmptyArrays) {
  EXPECT_TRUE(ParseNpy(Npy("<i8", "()", std::string(8, '\0')))->shape.empty());
  EXPECT_EQ(ParseNpy(Npy("|u1", "(4,)", "abcd"))->datatype, "UINT8");
  EXPECT_EQ(ParseNpy(Npy("|b1", "(0, 5)", ""))->raw, "");
}

TEST(NpyFile, GivesBytesTheirLengthPrefixes) {
  auto array = ParseNpy(Npy("|S3", "(2,)", std::string("abcd\0\0", 6)));
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->datatype, "BYTES");
  EXPECT_EQ(array->raw, std::string("\3\0\0\0abc\1\0\0\0d", 12));
}

TEST(NpyFile, RefusesWhatItCannotSend) {
  const std::string data(4, 'x');
  for (const std::string& contents :
       {std::string(), std::string("PK not numpy at all"), Npy("<f4", "(1,)", data).substr(0, 20),
        Npy(">f4", "(1,)", data), Npy("<c8", "(1,)", data), Npy("<f4", "(1,)", data, "True"),
        Npy("<f4", "(2,)", data), Npy("<f4", "(1, -1)", data), Npy("<f4", "1", data),
        Npy("<f4", "(4611686018427387904, 4)", data), Npy("|S99999999999", "(1,)", data)}) {
    EXPECT_FALSE(ParseNpy(contents).ok()) << contents;
  }
}

TEST(NpyFile, NamesAFileThatIsNotThere) {
  const auto array = ReadNpyFile("no/such/file.npy");
  EXPECT_EQ(array.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(array.status().message().find("no/such/file.npy"), absl::string_view::npos);
}

}  // namespace
}  // namespace inferd::loadtest
