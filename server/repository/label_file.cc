#include "server/repository/label_file.h"

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/repository/rooted_file.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{16} << 20;
constexpr size_t kMaxLabels = 1000000;

absl::StatusOr<std::vector<std::string>> ReadFile(const fs::path& model_folder,
                                                  const std::string& name) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFileBeneath(model_folder.parent_path().string(),
                                   (model_folder.filename() / name).string(), kMaxBytes));
  std::vector<std::string> labels;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (labels.size() == kMaxLabels) {
      return absl::InvalidArgumentError(absl::StrCat("'", (model_folder / name).string(),
                                                     "' has more than ", kMaxLabels, " lines"));
    }
    labels.push_back(std::move(line));
  }
  return labels;
}

}  // namespace

absl::Status ReadLabels(const std::string& model_folder, ModelOptions* options) {
  for (const inference::ModelOutput& output : options->config.output()) {
    if (output.label_filename().empty()) continue;
    auto labels = ReadFile(model_folder, output.label_filename());
    if (!labels.ok()) {
      return Annotate(labels.status(),
                      absl::StrCat("model config: output '", output.name(), "': label_filename"));
    }
    options->labels[output.name()] = *std::move(labels);
  }
  return absl::OkStatus();
}

}  // namespace inferd
