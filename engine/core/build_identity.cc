#include "engine/core/build_identity.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/fingerprint.h"

namespace inferd {
namespace {

// The linker's build id among the notes of a loaded segment; empty without one.
std::string BuildIdIn(const char* notes, size_t bytes) {
  const auto aligned = [](size_t size) { return (size + 3) / 4 * 4; };
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof(note));
    const size_t size = sizeof(note) + aligned(note.n_namesz) + aligned(note.n_descsz);
    if (size > bytes) break;
    if (note.n_type == NT_GNU_BUILD_ID) {
      const char* id = notes + sizeof(note) + aligned(note.n_namesz);
      return absl::BytesToHexString(absl::string_view(id, note.n_descsz));
    }
    notes += size;
    bytes -= size;
  }
  return "";
}

int AddLibrary(dl_phdr_info* info, size_t, void* to) {
  const absl::string_view path = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  const absl::string_view name = path.substr(path.rfind('/') + 1);
  if (!absl::StartsWith(name, "libinferd") && !absl::StartsWith(name, "libdnnl")) return 0;
  std::string id;
  for (int i = 0; i < info->dlpi_phnum && id.empty(); ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    id = BuildIdIn(reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr),
                   segment.p_memsz);
  }
  static_cast<std::vector<std::string>*>(to)->push_back(absl::StrCat(name, "=", id));
  return 0;
}

}  // namespace

std::string BuildIdentity() {
  std::vector<std::string> libraries;
  dl_iterate_phdr(AddLibrary, &libraries);
  std::sort(libraries.begin(), libraries.end());
  return absl::StrJoin(libraries, " ");
}

std::string ProcessorIdentity() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  std::string lines;
  // Of the first processor; the others are alike.
  while (std::getline(file, line) && !line.empty()) {
    for (absl::string_view name : {"vendor_id", "cpu family", "model", "stepping", "flags"}) {
      if (absl::StartsWith(line, name)) absl::StrAppend(&lines, line, "\n");
    }
  }
  return FingerprintOf(lines).ToHex();
}

}  // namespace inferd
