#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace inferd {

// A model repository in a folder of its own, removed with this object. Used by one thread at a
// time.
class TemporaryRepository {
 public:
  TemporaryRepository() {
    std::string pattern = ::testing::TempDir() + "repository_XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~TemporaryRepository() { std::filesystem::remove_all(root_); }

  const std::string& root() const { return root_; }

  // Writes a file, and the folders above it.
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = std::filesystem::path(root_) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void MakeFolder(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(root_) / path);
  }

 private:
  std::string root_;
};

}  // namespace inferd
