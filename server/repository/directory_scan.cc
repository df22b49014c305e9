#include "server/repository/directory_scan.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/model_options.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxVersionDigits = 18;
constexpr uintmax_t kMaxConfigBytes = 1 << 20;

// The folders directly in `path`, by name; names that begin with '.' are not looked at.
absl::StatusOr<std::vector<fs::path>> Subfolders(const fs::path& path) {
  std::error_code error;
  std::vector<fs::path> folders;
  fs::directory_iterator it(path, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->path().filename().string()[0] == '.' || !it->is_directory(ignored)) continue;
    folders.push_back(it->path());
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("folder '", path.string(), "' cannot be read: ", error.message()));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

absl::StatusOr<std::string> ReadConfig(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return std::string();
  if (!fs::is_regular_file(status)) {
    return absl::InvalidArgumentError(absl::StrCat("'", path.string(), "': expected a file"));
  }
  const uintmax_t bytes = fs::file_size(path, error);
  if (error || bytes > kMaxConfigBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path.string(), "': expected a readable file of at most ", kMaxConfigBytes,
                     " bytes, got ", error ? error.message() : absl::StrCat(bytes, " bytes")));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat("'", path.string(), "' cannot be read"));
  }
  return text.str();
}

constexpr int kMaxFilesOfVersion = 10000;

// Links are followed, so that a mounted volume whose links change is seen.
VersionFiles ReadVersionFiles(const fs::path& folder) {
  VersionFiles files;
  std::vector<std::string> lines;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error);
  for (int count = 0; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    struct stat status = {};
    if (++count > kMaxFilesOfVersion || stat(it->path().c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode)) continue;
    lines.push_back(absl::StrCat(it->path().lexically_relative(folder).string(), " ",
                                 status.st_size, " ", status.st_ino, " ", status.st_mtim.tv_sec,
                                 ".", status.st_mtim.tv_nsec));
    files.newest_change = std::max(files.newest_change, absl::TimeFromTimespec(status.st_ctim));
  }
  std::sort(lines.begin(), lines.end());
  files.fingerprint = absl::StrJoin(lines, "\n");
  return files;
}

ModelFolder ScanModel(const fs::path& path, std::vector<std::string>* warnings) {
  ModelFolder model;
  model.name = path.filename().string();
  model.path = path.string();
  absl::StatusOr<std::string> config = ReadConfig(path / "config.pbtxt");
  if (config.ok()) {
    model.config_text = *std::move(config);
  } else {
    model.config_status = config.status();
  }
  const absl::StatusOr<std::vector<fs::path>> folders = Subfolders(path);
  if (!folders.ok()) {
    model.config_status = folders.status();
    return model;
  }
  for (const fs::path& folder : *folders) {
    const std::string name = folder.filename().string();
    if (const int64_t version = ParseVersion(name); version > 0) {
      model.versions.push_back(version);
      model.files.emplace(version, ReadVersionFiles(folder));
    } else {
      warnings->push_back(
          absl::StrCat("model '", model.name, "': folder '", name,
                       "' is ignored: a version is a positive number without leading zeros"));
    }
  }
  std::sort(model.versions.begin(), model.versions.end());
  return model;
}

}  // namespace

int64_t ParseVersion(absl::string_view name) {
  if (name.empty() || name.size() > kMaxVersionDigits || name[0] == '0') return 0;
  if (!std::all_of(name.begin(), name.end(), absl::ascii_isdigit)) return 0;
  int64_t version = 0;
  return absl::SimpleAtoi(name, &version) ? version : 0;
}

absl::StatusOr<RepositoryScan> ScanRepository(const std::string& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    return absl::NotFoundError(
        absl::StrCat("model repository '", root, "': expected a folder, found ",
                     fs::exists(root, error) ? "something else" : "nothing"));
  }
  absl::StatusOr<std::vector<fs::path>> folders = Subfolders(root);
  if (!folders.ok()) return folders.status();
  RepositoryScan scan;
  for (const fs::path& folder : *folders) {
    const absl::Status name = CheckModelName(folder.filename().string());
    if (name.ok()) {
      scan.models.push_back(ScanModel(folder, &scan.warnings));
    } else {
      scan.warnings.push_back(
          absl::StrCat("folder '", folder.string(), "' is ignored: ", name.message()));
    }
  }
  return scan;
}

absl::StatusOr<ModelFolder> ScanModelFolder(const std::string& path,
                                            std::vector<std::string>* warnings) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return absl::NotFoundError(
        absl::StrCat("'", path, "': expected a folder, found ",
                     fs::exists(path, error) ? "something else" : "nothing"));
  }
  return ScanModel(path, warnings);
}

}  // namespace inferd
