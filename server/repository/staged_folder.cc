#include "server/repository/staged_folder.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/core/status_macros.h"
#include "proto/model_config.pb.h"
#include "server/repository/directory_scan.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxNameBytes = 255;

bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
         });
}

absl::Status CheckPath(absl::string_view path) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  if (parts.size() == 2 && ParseVersion(parts[0]) > 0 && IsPlainName(parts[1])) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("parameter 'file:", path.substr(0, 300),
                   "': expected file:VERSION/NAME with a positive version and a name of letters, "
                   "digits, '_', '-' and '.' that does not begin with '.'"));
}

absl::Status WriteFile(const fs::path& path, const std::string& bytes) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the load's files cannot be written to '", path.string(),
                   "': is there space, and may this user write there (TMPDIR)?"));
}

}  // namespace

absl::StatusOr<std::string> ConfigTextFromJson(const std::string& json) {
  inference::ModelConfig config;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &config);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter 'config': expected a ModelConfig as JSON: ",
                     std::string(status.message()).substr(0, 300)));
  }
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return text;
}

absl::StatusOr<std::unique_ptr<StagedFolder>> StagedFolder::Make(
    const std::string& model_name, const std::map<std::string, std::string>& files) {
  if (files.size() > kMaxFiles) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected at most ", kMaxFiles, " files in a load, got ", files.size()));
  }
  for (const auto& [path, bytes] : files) RETURN_IF_ERROR(CheckPath(path));
  std::error_code error;
  std::string root = (fs::temp_directory_path(error) / "inferd-load-XXXXXX").string();
  if (error || mkdtemp(root.data()) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("the load's files need a folder like '", root, "', which cannot be made"));
  }
  std::unique_ptr<StagedFolder> staged(
      new StagedFolder(root, (fs::path(root) / model_name).string()));
  for (const auto& [path, bytes] : files) {
    RETURN_IF_ERROR(WriteFile(fs::path(staged->path()) / path, bytes));
  }
  return staged;
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

}  // namespace inferd
