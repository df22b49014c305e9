#include "server/repository/directory_scan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/model_options.h"
#include "server/repository/rooted_file.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxVersionDigits = 18;
constexpr int64_t kMaxConfigBytes = 1 << 20;

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

// Empty when there is none.
absl::StatusOr<std::string> ReadConfig(const std::string& root, const std::string& model) {
  absl::StatusOr<std::string> text =
      ReadFileBeneath(root, absl::StrCat(model, "/config.pbtxt"), kMaxConfigBytes);
  if (absl::IsNotFound(text.status())) return std::string();
  return text;
}

constexpr int kMaxFilesOfVersion = 10000;

// Links are followed, so that a mounted volume whose links change is seen; those that lead out of
// the repository count as they are.
VersionFiles ReadVersionFiles(const std::string& root, const fs::path& folder) {
  VersionFiles files;
  std::vector<std::string> lines;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error);
  for (int count = 0; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    struct stat status = {};
    if (++count > kMaxFilesOfVersion || lstat(it->path().c_str(), &status) != 0) continue;
    if (S_ISLNK(status.st_mode)) {
      const auto target = OpenBeneath(root, it->path().lexically_relative(root).string(), O_PATH);
      if (target.ok()) fstat(target->get(), &status);
    }
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
  const std::string root = path.parent_path().string();
  if (const auto folder = OpenBeneath(root, model.name, O_PATH | O_DIRECTORY); !folder.ok()) {
    model.config_status = folder.status();
    return model;
  }
  absl::StatusOr<std::string> config = ReadConfig(root, model.name);
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
      model.files.emplace(version, ReadVersionFiles(root, folder));
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
