#include "engine/core/section_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/fingerprint.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr char kMagic[8] = {'i', 'n', 'f', 'e', 'r', 'd', 'S', '1'};
constexpr uint32_t kVersion = 1;
constexpr int64_t kAlignment = 64;
constexpr uint64_t kMaxSections = 1 << 20;

// All numbers little endian, as on every machine this runs on.
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t file_bytes;
  uint64_t index_offset;
  uint64_t index_bytes;
  uint64_t sections;
  Fingerprint key;
  Fingerprint index;
  Fingerprint header;  // of all that is before it
};

Fingerprint HeaderFingerprint(const Header& header) {
  return FingerprintOf(&header, offsetof(Header, header));
}

// An index entry: this, then the name.
struct Entry {
  uint64_t offset;
  uint64_t bytes;
  uint64_t name_bytes;
};

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the file is damaged: ", what));
}

absl::Status SystemError(absl::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat("cannot ", what, " ", path, ": ", strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

// A file that is being written: removed again unless it gets its name.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path), temporary_(path + ".XXXXXX.tmp") {
    descriptor_ = mkostemps(temporary_.data(), 4, O_CLOEXEC);
  }
  ~NewFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    if (!renamed_) unlink(temporary_.c_str());
  }
  bool is_open() const { return descriptor_ >= 0; }
  const std::string& temporary() const { return temporary_; }

  absl::Status WriteAt(int64_t offset, const void* bytes, int64_t size) {
    const char* from = static_cast<const char*>(bytes);
    while (size > 0) {
      const ssize_t wrote = pwrite(descriptor_, from, static_cast<size_t>(size), offset);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return SystemError("write", temporary_);
      from += wrote;
      offset += wrote;
      size -= wrote;
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    if (fsync(descriptor_) != 0) return SystemError("write", temporary_);
    if (rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError("rename", temporary_);
    renamed_ = true;
    const std::string folder = path_.substr(0, path_.rfind('/') + 1);
    const int opened = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (opened >= 0) {
      fsync(opened);
      close(opened);
    }
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

absl::Status CheckOwner(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return absl::DataLossError("it is not a regular file");
  if (info.st_uid != geteuid()) {
    return absl::DataLossError(absl::StrCat("it belongs to user ", info.st_uid,
                                            "; expected this process's user ", geteuid()));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::DataLossError("others than its owner may write to it");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SectionFile>> SectionFile::Open(const std::string& path,
                                                                     absl::string_view key) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return SystemError("open", path);
  struct stat info;
  absl::Status status =
      fstat(descriptor, &info) == 0 ? CheckOwner(info) : SystemError("open", path);
  if (status.ok() && info.st_size < static_cast<off_t>(sizeof(Header))) {
    status = Damaged(absl::StrCat("it has ", info.st_size, " bytes"));
  }
  void* data = MAP_FAILED;
  if (status.ok()) {
    data = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED) status = SystemError("map", path);
  }
  close(descriptor);
  RETURN_IF_ERROR(Annotate(status, path));
  std::shared_ptr<SectionFile> file(
      new SectionFile(static_cast<const char*>(data), static_cast<int64_t>(info.st_size)));
  RETURN_IF_ERROR(Annotate(file->Read(key), path));
  return std::shared_ptr<const SectionFile>(std::move(file));
}

SectionFile::~SectionFile() { munmap(const_cast<char*>(data_), static_cast<size_t>(size_)); }

absl::Status SectionFile::Read(absl::string_view key) {
  Header header;
  std::memcpy(&header, data_, sizeof(header));
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0) return Damaged("wrong first bytes");
  if (header.version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("format version ", header.version, "; expected ", kVersion));
  }
  if (header.header != HeaderFingerprint(header)) return Damaged("wrong header checksum");
  if (header.key != FingerprintOf(key)) {
    return absl::FailedPreconditionError("made from another model, by another build or machine");
  }
  const auto size = static_cast<uint64_t>(size_);
  if (header.file_bytes != size) {
    return Damaged(absl::StrCat("it has ", size, " bytes; expected ", header.file_bytes));
  }
  if (header.index_offset > size || header.index_bytes > size - header.index_offset ||
      header.sections > kMaxSections || header.sections > header.index_bytes / sizeof(Entry)) {
    return Damaged("the index lies outside");
  }
  const char* at = data_ + header.index_offset;
  const char* const end = at + header.index_bytes;
  if (header.index != FingerprintOf(at, static_cast<int64_t>(header.index_bytes))) {
    return Damaged("wrong index checksum");
  }
  for (uint64_t i = 0; i < header.sections; ++i) {
    Entry entry;
    if (static_cast<size_t>(end - at) < sizeof(entry)) return Damaged("the index is cut short");
    std::memcpy(&entry, at, sizeof(entry));
    at += sizeof(entry);
    if (entry.name_bytes > static_cast<uint64_t>(end - at)) return Damaged("a name is cut short");
    std::string name(at, entry.name_bytes);
    at += entry.name_bytes;
    if (entry.offset % kAlignment != 0 || entry.offset > size ||
        entry.bytes > size - entry.offset) {
      return Damaged("a section lies outside");
    }
    if (!index_.emplace(name, sections_.size()).second) return Damaged("two sections of one name");
    sections_.push_back({std::move(name), {data_ + entry.offset, entry.bytes}});
  }
  return absl::OkStatus();
}

const SectionFile::Section* SectionFile::Find(absl::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &sections_[it->second];
}

absl::Status SectionFile::Write(const std::string& path, absl::string_view key,
                                absl::Span<const Section> sections) {
  NewFile file(path);
  if (!file.is_open()) return SystemError("create", file.temporary());
  const auto aligned = [](int64_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; };
  int64_t at = aligned(sizeof(Header));
  std::string index;
  for (const Section& section : sections) {
    const auto bytes = static_cast<int64_t>(section.bytes.size());
    const Entry entry = {static_cast<uint64_t>(at), section.bytes.size(), section.name.size()};
    index.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
    index.append(section.name);
    RETURN_IF_ERROR(file.WriteAt(at, section.bytes.data(), bytes));
    at = aligned(at + bytes);
  }
  RETURN_IF_ERROR(file.WriteAt(at, index.data(), static_cast<int64_t>(index.size())));
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
  header.file_bytes = static_cast<uint64_t>(at) + index.size();
  header.index_offset = static_cast<uint64_t>(at);
  header.index_bytes = index.size();
  header.sections = sections.size();
  header.key = FingerprintOf(key);
  header.index = FingerprintOf(index);
  header.header = HeaderFingerprint(header);
  RETURN_IF_ERROR(file.WriteAt(0, &header, sizeof(header)));
  return file.Finish();
}

}  // namespace inferd
