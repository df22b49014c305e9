#include "server/commands/serving_checks.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/model_options.h"
#include "server/repository/directory_scan.h"
#include "server/repository/label_file.h"
#include "server/repository/version_policy.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;
using Level = Finding::Level;

constexpr int64_t kMega = int64_t{1} << 20;
constexpr int64_t kLeastFree = 1024 * kMega;

std::string Text(absl::string_view text) { return std::string(text.data(), text.size()); }

Finding Failed(Finding finding, std::string found, std::string advice) {
  finding.level = Level::kFail;
  finding.found = std::move(found);
  finding.advice = std::move(advice);
  return finding;
}

// 0, or the error of listening there.
int TryToListen(const addrinfo& address) {
  const int file = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) return errno;
  // As the daemon does: connections that are still closing do not count.
  const int yes = 1;
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const bool listens = bind(file, address.ai_addr, address.ai_addrlen) == 0 && listen(file, 1) == 0;
  const int error = listens ? 0 : errno;
  close(file);
  return error;
}

Finding CheckModel(const ModelFolder& folder) {
  Finding finding{absl::StrCat("model ", folder.name)};
  if (!folder.config_status.ok()) {
    return Failed(finding, Text(folder.config_status.message()), "make the folder readable");
  }
  absl::StatusOr<ModelOptions> options = ParseModelOptions(folder.config_text, folder.name);
  absl::Status status = options.status();
  if (status.ok()) status = ReadLabels(folder.path, &*options);
  if (!status.ok()) {
    return Failed(finding, Text(status.message()),
                  absl::StrCat("mend ", folder.path, "/config.pbtxt"));
  }
  const VersionChoice choice = ChooseVersions(options->version_policy, folder.versions);
  if (choice.serve.empty()) {
    return Failed(finding, "no version folder to serve",
                  absl::StrCat("put the model into ", folder.path, "/1/", options->model_filename));
  }
  for (const int64_t version : choice.serve) {
    const std::string file = absl::StrCat(folder.path, "/", version, "/", options->model_filename);
    if (access(file.c_str(), R_OK) != 0) {
      return Failed(finding, absl::StrCat(file, ": ", std::strerror(errno)),
                    "the daemon's user must be able to read it");
    }
  }
  finding.found = absl::StrCat("version ", absl::StrJoin(choice.serve, ", "),
                               folder.config_text.empty() ? ", no config.pbtxt" : ", config.pbtxt");
  if (!options->notes.empty()) {
    finding.level = Level::kWarn;
    finding.advice = absl::StrJoin(options->notes, "; ");
  }
  return finding;
}

bool OthersMayWrite(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

int64_t BytesIn(const std::string& folder) {
  int64_t bytes = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, error)) {
    std::error_code unknown;
    const uintmax_t size = entry.is_regular_file(unknown) ? entry.file_size(unknown) : 0;
    if (!unknown) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

}  // namespace

Finding CheckPort(const std::string& name, const std::string& address, int port) {
  Finding finding{absl::StrCat(name, " port")};
  const std::string where = absl::StrCat(address, " port ", port);
  if (port == 0) {
    finding.found = "any free one";
    return finding;
  }
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int unknown = getaddrinfo(address.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (unknown != 0) {
    return Failed(finding, absl::StrCat(address, ": ", gai_strerror(unknown)),
                  "give --address an address of this machine");
  }
  const int error = TryToListen(*found);
  freeaddrinfo(found);
  if (error == 0) {
    finding.found = where + " is free";
    return finding;
  }
  const std::string advice =
      error == EADDRINUSE
          ? absl::StrCat("stop what listens there (ss -ltnp), or take another --", name, "-port")
          : "give --address an address of this machine, and a port above 1023 without privileges";
  return Failed(finding, absl::StrCat(where, ": ", std::strerror(error)), advice);
}

Findings CheckRepository(const std::string& path) {
  Finding finding{"model repository"};
  const absl::StatusOr<RepositoryScan> scan = ScanRepository(path);
  if (!scan.ok()) {
    return {Failed(finding, Text(scan.status().message()),
                   "name a folder with one folder a model: --model-repository DIR")};
  }
  finding.found = absl::StrCat("'", path, "' has ", scan->models.size(), " models");
  if (scan->models.empty()) {
    finding.level = Level::kWarn;
    finding.advice = "put a model into it: MODEL/1/model.onnx";
  } else if (!scan->warnings.empty()) {
    finding.level = Level::kWarn;
    finding.advice = absl::StrJoin(scan->warnings, "; ");
  } else if (OthersMayWrite(path)) {
    finding.level = Level::kWarn;
    finding.advice = "others may write to it: chmod go-w";
  }
  Findings findings = {finding};
  for (const ModelFolder& model : scan->models) findings.push_back(CheckModel(model));
  return findings;
}

Finding CheckCacheFolder(const std::string& path, int64_t max_bytes) {
  Finding finding{"cache folder"};
  if (path.empty()) {
    finding.found = "none";
    finding.advice = "--cache-dir DIR makes later starts quick";
    return finding;
  }
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return Failed(finding, absl::StrCat("'", path, "' is no folder"),
                  absl::StrCat("mkdir -m 700 ", path));
  }
  if (access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return Failed(finding, absl::StrCat("'", path, "': ", std::strerror(errno)),
                  "the daemon's user must own it");
  }
  if (OthersMayWrite(path)) {
    return Failed(finding, absl::StrCat("others may write to '", path, "'"),
                  absl::StrCat("chmod go-w ", path));
  }
  struct statvfs disk = {};
  statvfs(path.c_str(), &disk);
  const int64_t free = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
  const int64_t used = BytesIn(path);
  finding.found = absl::StrCat("'", path, "' has ", used / kMega, " of at most ", max_bytes / kMega,
                               " MiB, ", free / kMega, " MiB free");
  if (free < std::min(kLeastFree, max_bytes - used)) {
    finding.level = Level::kWarn;
    finding.advice = "make room, or lower --max-cache-bytes";
  }
  return finding;
}

}  // namespace inferd
