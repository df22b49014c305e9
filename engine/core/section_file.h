#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace inferd {

// A file of named sections, mapped read-only: header (magic, format version, sizes, key, checksum),
// 64-byte aligned sections, index. Header and index are checked in full when the file is opened, so
// that no file, however made, leads outside of the mapping; the sections' bytes are taken as they
// are. Only for files that this program wrote where others cannot: cutting one short under a
// mapping ends the process. Immutable.
class SectionFile {
 public:
  struct Section {
    std::string name;
    absl::Span<const char> bytes;
  };

  // NOT_FOUND when there is no file; FAILED_PRECONDITION when it has another `key` or format
  // version; DATA_LOSS saying what is wrong when it is no such file, is damaged or not ours.
  static absl::StatusOr<std::shared_ptr<const SectionFile>> Open(const std::string& path,
                                                                 absl::string_view key);
  // Writes a file with distinct names in the folder of `path`, syncs it and renames it to `path`,
  // so that readers find the old file or the new one, whole.
  static absl::Status Write(const std::string& path, absl::string_view key,
                            absl::Span<const Section> sections);

  SectionFile(const SectionFile&) = delete;
  SectionFile& operator=(const SectionFile&) = delete;
  ~SectionFile();

  // Null when there is no such section.
  const Section* Find(absl::string_view name) const;
  const std::vector<Section>& sections() const { return sections_; }
  int64_t file_bytes() const { return size_; }

 private:
  SectionFile(const char* data, int64_t size) : data_(data), size_(size) {}
  absl::Status Read(absl::string_view key);

  const char* const data_;
  const int64_t size_;
  std::vector<Section> sections_;
  absl::flat_hash_map<std::string, size_t> index_;
};

}  // namespace inferd
