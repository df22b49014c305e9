#include "engine/plan/model_cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/build_identity.h"
#include "engine/core/fingerprint.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kSuffix = ".inferd-cache";
constexpr int64_t kMostOverSaved = 4;

// Which libraries of operators, and which builds of them.
std::string OpLibraries(const EngineConfig& config) {
  std::string text;
  for (const std::string& path : config.custom_op_libraries) {
    std::error_code error;
    absl::StrAppend(&text, path, " ", fs::file_size(path, error), " ",
                    fs::last_write_time(path, error).time_since_epoch().count(), ";");
  }
  return text;
}

std::string KeyOf(const EngineConfig& config, absl::string_view model_identity) {
  return absl::StrCat(
      "model ", model_identity, "\nbuild ", BuildIdentity(), "\nprocessor ", ProcessorIdentity(),
      "\nthreads ", config.threads_per_slot, "\nprecision ", static_cast<int>(config.precision),
      "\nproviders ", absl::StrJoin(config.providers, ","), "\nlevel ", config.optimization_level,
      "\nwithout ", absl::StrJoin(config.disabled_passes, ","), "\nops ", OpLibraries(config));
}

struct CachedFile {
  fs::path path;
  int64_t bytes;
  fs::file_time_type used;
};

// The folder's cache files, the least recently used first. Unfinished ones count as well: those
// that nobody will finish are then the oldest.
std::vector<CachedFile> ListFiles(const std::string& folder) {
  std::vector<CachedFile> files;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    std::error_code gone;
    if (!absl::StrContains(it->path().filename().native(), kSuffix) || !it->is_regular_file(gone)) {
      continue;
    }
    const auto bytes = static_cast<int64_t>(it->file_size(gone));
    const fs::file_time_type used = it->last_write_time(gone);
    if (!gone) files.push_back({it->path(), bytes, used});
  }
  std::sort(files.begin(), files.end(),
            [](const CachedFile& a, const CachedFile& b) { return a.used < b.used; });
  return files;
}

int64_t TotalBytes(absl::Span<const SectionFile::Section> sections) {
  int64_t bytes = 0;
  for (const auto& section : sections) bytes += static_cast<int64_t>(section.bytes.size());
  return bytes;
}

bool Holds(const SectionFile& file, const SectionFile::Section& section) {
  const SectionFile::Section* found = file.Find(section.name);
  if (found == nullptr || found->bytes.size() != section.bytes.size()) return false;
  // Sections that came from the file are compared without being read.
  return found->bytes.data() == section.bytes.data() || found->bytes == section.bytes;
}

}  // namespace

ModelCache::ModelCache(const EngineConfig& config, absl::string_view model_identity)
    : folder_(config.cache_dir),
      max_bytes_(config.max_cache_bytes),
      key_(KeyOf(config, model_identity)),
      path_(absl::StrCat(folder_, "/", FingerprintOf(key_).ToHex(), kSuffix)) {
  auto opened = SectionFile::Open(path_, key_);
  if (opened.ok()) {
    file_ = *std::move(opened);
    report_ = absl::StrCat("uses ", file_->sections().size(), " sections of ", path_);
    // The time of the last use is what says which file goes first.
    utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);
  } else if (absl::IsNotFound(opened.status())) {
    report_ = absl::StrCat("found no ", path_, " to start from");
  } else {
    report_ = absl::StrCat("does not use a file of the cache and will write it anew: ",
                           opened.status().message());
  }
}

absl::Status ModelCache::Save(std::vector<SectionFile::Section> sections) {
  MutexLock lock(&saving_);
  const bool all_there =
      file_ != nullptr && std::all_of(sections.begin(), sections.end(),
                                      [&](const auto& section) { return Holds(*file_, section); });
  if (sections.empty() || all_there) return absl::OkStatus();
  const int64_t most = kMostOverSaved * TotalBytes(sections);
  int64_t bytes = TotalBytes(sections);
  std::set<std::string> names;
  for (const auto& section : sections) names.insert(section.name);
  for (size_t i = 0; file_ != nullptr && i < file_->sections().size(); ++i) {
    const SectionFile::Section& old = file_->sections()[i];
    if (names.count(old.name) > 0) continue;
    bytes += static_cast<int64_t>(old.bytes.size());
    if (bytes > most) break;
    sections.push_back(old);
  }
  RETURN_IF_ERROR(MakeRoom(TotalBytes(sections)));
  return SectionFile::Write(path_, key_, sections);
}

absl::Status ModelCache::MakeRoom(int64_t bytes) {
  if (bytes > max_bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat("the model's cache file would have ", bytes,
                                                     " bytes; the cache may take ", max_bytes_));
  }
  std::error_code error;
  if (fs::create_directories(folder_, error)) {
    fs::permissions(folder_, fs::perms::owner_all, error);
  }
  const std::vector<CachedFile> files = ListFiles(folder_);
  int64_t total = bytes;
  for (const CachedFile& file : files) total += file.path == path_ ? 0 : file.bytes;
  for (const CachedFile& file : files) {
    if (total <= max_bytes_) break;
    if (file.path == path_) continue;
    // A process that maps it keeps what it has.
    if (fs::remove(file.path, error)) total -= file.bytes;
  }
  return absl::OkStatus();
}

}  // namespace inferd
