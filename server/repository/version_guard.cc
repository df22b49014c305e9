#include "server/repository/version_guard.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/status_macros.h"
#include "server/repository/rooted_file.h"
#include "server/security/sha256.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxFiles = 10000;
constexpr size_t kMaxListedFiles = 1000000;

using DigestList = absl::flat_hash_map<std::string, Sha256Digest>;

absl::StatusOr<DigestList> ReadDigestList(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("'", path, "' cannot be read"));
  DigestList list;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find(' ');
    absl::StatusOr<Sha256Digest> digest = ParseSha256(line.substr(0, space));
    absl::string_view name = space == std::string::npos ? absl::string_view()
                                                        : absl::string_view(line).substr(space + 1);
    // The second character says whether sha256sum read text or binary.
    if (!absl::ConsumePrefix(&name, " ")) absl::ConsumePrefix(&name, "*");
    absl::ConsumePrefix(&name, "./");
    if (!digest.ok() || name.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "', line ", number,
                       ": expected a SHA-256 and a path such as model/1/model.onnx"));
    }
    if (list.size() >= kMaxListedFiles) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "': expected at most ", kMaxListedFiles, " lines"));
    }
    list[std::string(name.data(), name.size())] = *digest;
  }
  return list;
}

absl::Status CheckDigest(const DigestList& list, const std::string& root,
                         const std::string& relative, const FileDescriptor& file) {
  const auto listed = list.find(relative);
  const std::string path = (fs::path(root) / relative).string();
  if (listed == list.end()) {
    return absl::PermissionDeniedError(
        absl::StrCat("'", path, "' is not among the files of --model-digests"));
  }
  const absl::StatusOr<Sha256Digest> digest = Sha256OfFile(file.get());
  if (!digest.ok()) return Annotate(digest.status(), path);
  if (EqualDigests(*digest, listed->second)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("'", path, "': expected the SHA-256 ",
                                                  Sha256Text(listed->second), ", got ",
                                                  Sha256Text(*digest)));
}

// A further model is none of this one's weights.
bool MayHoldWeights(const std::string& relative, const std::string& model_file) {
  return relative == model_file || !absl::EndsWith(relative, ".onnx");
}

// What tells a version's files from others, links included; `list` is not null where they must be
// listed.
absl::Status WalkVersion(const std::string& root, const std::string& folder,
                         const std::string& model_file, const DigestList* list,
                         std::string* fingerprint, int64_t* file_bytes) {
  std::error_code error;
  fs::recursive_directory_iterator it(fs::path(root) / folder, error);
  for (int count = 0; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (++count > kMaxFiles) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", folder, "': expected at most ", kMaxFiles, " files"));
    }
    // What a mounted Kubernetes volume keeps beside the links that are its files.
    if (absl::StartsWith(it->path().filename().string(), "..")) {
      it.disable_recursion_pending();
      continue;
    }
    struct stat own = {};
    if (lstat(it->path().c_str(), &own) != 0 || S_ISDIR(own.st_mode)) continue;
    const std::string relative = it->path().lexically_relative(root).string();
    struct stat info = {};
    const absl::StatusOr<FileDescriptor> file = OpenFileBeneath(root, relative, &info);
    if (!file.ok()) {
      // What is no file of the repository is not loaded either; a list allows no doubt.
      if (list != nullptr && !it->is_directory(error)) return file.status();
      error.clear();
      continue;
    }
    absl::StrAppend(fingerprint, relative, " ", own.st_ino, " ", own.st_ctim.tv_sec, ".",
                    own.st_ctim.tv_nsec, " ", info.st_dev, " ", info.st_ino, " ", info.st_size, " ",
                    info.st_ctim.tv_sec, ".", info.st_ctim.tv_nsec, "\n");
    if (MayHoldWeights(relative, model_file)) *file_bytes += info.st_size;
    if (list != nullptr) RETURN_IF_ERROR(CheckDigest(*list, root, relative, *file));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VersionGuard> VersionGuard::Admit(const std::string& model_folder, int64_t version,
                                                 const std::string& model_filename,
                                                 const std::string& digests_path) {
  VersionGuard guard;
  guard.model_folder_ = model_folder;
  guard.version_ = version;
  const fs::path folder(model_folder);
  const std::string root = folder.parent_path().string();
  const std::string version_folder = absl::StrCat(folder.filename().string(), "/", version);
  guard.model_file_ = absl::StrCat(version_folder, "/", model_filename);
  const auto file = OpenFileBeneath(root, guard.model_file_);
  if (!file.ok()) return Annotate(file.status(), "model file");
  DigestList list;
  if (!digests_path.empty()) {
    ASSIGN_OR_RETURN(list, ReadDigestList(digests_path));
  }
  RETURN_IF_ERROR(WalkVersion(root, version_folder, guard.model_file_,
                              digests_path.empty() ? nullptr : &list, &guard.fingerprint_,
                              &guard.file_bytes_));
  return guard;
}

absl::Status VersionGuard::CheckUnchanged() const {
  const fs::path folder(model_folder_);
  std::string now;
  int64_t unused = 0;
  RETURN_IF_ERROR(WalkVersion(folder.parent_path().string(),
                              absl::StrCat(folder.filename().string(), "/", version_), model_file_,
                              nullptr, &now, &unused));
  if (now == fingerprint_) return absl::OkStatus();
  return absl::UnavailableError("its files changed while they were loaded; load it again");
}

absl::Status CheckDigestList(const std::string& digests_path) {
  return digests_path.empty() ? absl::OkStatus() : ReadDigestList(digests_path).status();
}

}  // namespace inferd
