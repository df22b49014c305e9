#include "server/commands/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace inferd {
namespace {

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The limit in `path`/`file` and in the same file of every folder above it, down to `root`.
int64_t SmallestLimit(const std::string& root, std::string path, const char* file) {
  int64_t smallest = -1;
  while (true) {
    int64_t limit;
    const std::string text = FileText(absl::StrCat(root, path, "/", file));
    // "max" is no number: no limit.
    if (absl::SimpleAtoi(text, &limit) && limit > 0) {
      smallest = smallest < 0 ? limit : std::min(smallest, limit);
    }
    if (path.empty() || path == "/") return smallest;
    path.resize(path.rfind('/'));
  }
}

}  // namespace

int64_t CgroupMemoryLimit(const std::string& cgroups, const std::string& mount_root) {
  for (const absl::string_view line : absl::StrSplit(cgroups, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3 || fields[2].empty() || fields[2][0] != '/') continue;
    int64_t limit = -1;
    if (fields[0] == "0" && fields[1].empty()) {
      limit = SmallestLimit(mount_root, fields[2], "memory.max");
    } else if (fields[1] == "memory") {
      limit = SmallestLimit(mount_root + "/memory", fields[2], "memory.limit_in_bytes");
    }
    if (limit > 0) return limit;
  }
  return -1;
}

int64_t AvailableMemoryBytes() {
  const int64_t machine = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  const int64_t cgroup = CgroupMemoryLimit(FileText("/proc/self/cgroup"), "/sys/fs/cgroup");
  return cgroup > 0 ? std::min(cgroup, machine) : machine;
}

}  // namespace inferd
