#include "server/repository/label_file.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxBytes = uintmax_t{16} << 20;
constexpr size_t kMaxLabels = 1000000;

absl::StatusOr<std::vector<std::string>> ReadFile(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat("'", path.string(), "' is not there"));
  }
  const uintmax_t bytes = fs::is_regular_file(status) ? fs::file_size(path, error) : kMaxBytes + 1;
  if (error || bytes > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path.string(), "': expected a readable file of at most ", kMaxBytes, " bytes"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat("'", path.string(), "' cannot be read"));
  }
  std::vector<std::string> labels;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (labels.size() == kMaxLabels) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path.string(), "' has more than ", kMaxLabels, " lines"));
    }
    labels.push_back(std::move(line));
  }
  return labels;
}

}  // namespace

absl::Status ReadLabels(const std::string& model_folder, ModelOptions* options) {
  for (const inference::ModelOutput& output : options->config.output()) {
    if (output.label_filename().empty()) continue;
    auto labels = ReadFile(fs::path(model_folder) / output.label_filename());
    if (!labels.ok()) {
      return Annotate(labels.status(),
                      absl::StrCat("model config: output '", output.name(), "': label_filename"));
    }
    options->labels[output.name()] = *std::move(labels);
  }
  return absl::OkStatus();
}

}  // namespace inferd
