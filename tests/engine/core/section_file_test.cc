#include "engine/core/section_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace inferd {
namespace {

using ::testing::HasSubstr;

std::string Folder() {
  std::string folder = ::testing::TempDir() + "/inferd_section_file_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  return folder;
}

SectionFile::Section Section(std::string name, absl::string_view bytes) {
  return {std::move(name), {bytes.data(), bytes.size()}};
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(SectionFile, GivesBackWhatWasWritten) {
  const std::string path = Folder() + "/a";
  const SectionFile::Section sections[] = {Section("one", "first bytes"), Section("empty", ""),
                                           Section("two", absl::string_view("\0\1\2", 3))};
  ASSERT_TRUE(SectionFile::Write(path, "key", sections).ok());
  const auto file = SectionFile::Open(path, "key");
  ASSERT_TRUE(file.ok()) << file.status();
  for (const auto& section : sections) {
    const SectionFile::Section* found = (*file)->Find(section.name);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->bytes, section.bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(found->bytes.data()) % 64, 0u);
  }
  EXPECT_EQ((*file)->Find("three"), nullptr);
  EXPECT_EQ(std::distance(
                std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()), {}),
            1);
}

TEST(SectionFile, ReplacesAFileWithoutDisturbingItsReaders) {
  const std::string path = Folder() + "/a";
  ASSERT_TRUE(SectionFile::Write(path, "key", {Section("x", "old")}).ok());
  const auto old = *SectionFile::Open(path, "key");
  ASSERT_TRUE(SectionFile::Write(path, "key", {Section("x", "new")}).ok());
  EXPECT_EQ(std::string(old->Find("x")->bytes.data(), 3), "old");
  EXPECT_EQ(std::string((*SectionFile::Open(path, "key"))->Find("x")->bytes.data(), 3), "new");
}

TEST(SectionFile, RefusesAnotherKey) {
  const std::string path = Folder() + "/a";
  ASSERT_TRUE(SectionFile::Write(path, "key", {Section("x", "bytes")}).ok());
  EXPECT_EQ(SectionFile::Open(path, "other").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(SectionFile::Open(path + "b", "key").status().code(), absl::StatusCode::kNotFound);
}

TEST(SectionFile, RefusesWhatOthersMayWrite) {
  const std::string path = Folder() + "/a";
  ASSERT_TRUE(SectionFile::Write(path, "key", {Section("x", "bytes")}).ok());
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  const auto file = SectionFile::Open(path, "key");
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("others than its owner"));
  EXPECT_FALSE(SectionFile::Open(std::filesystem::path(path).parent_path(), "key").ok());
}

TEST(SectionFile, RefusesEveryShorterFile) {
  const std::string path = Folder() + "/a";
  ASSERT_TRUE(SectionFile::Write(path, "key", {Section("x", "bytes"), Section("y", "more")}).ok());
  const std::string whole = ReadAll(path);
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    WriteAll(path, whole.substr(0, bytes));
    EXPECT_FALSE(SectionFile::Open(path, "key").ok()) << bytes;
  }
}

TEST(SectionFile, SurvivesAnyChangedByte) {
  const std::string path = Folder() + "/a";
  ASSERT_TRUE(SectionFile::Write(path, "key", {Section("x", "bytes"), Section("y", "more")}).ok());
  const std::string whole = ReadAll(path);
  std::mt19937 random(1);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 + random() % 255));
    WriteAll(path, changed);
    const auto file = SectionFile::Open(path, "key");
    if (!file.ok()) continue;
    // Only the sections themselves and the gaps between are not checked.
    ASSERT_EQ((*file)->sections().size(), 2u);
    EXPECT_EQ((*file)->Find("x")->bytes.size(), 5u);
  }
}

}  // namespace
}  // namespace inferd
