#include "server/commands/machine_checks.h"

#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "engine/engine.h"
#include "server/commands/memory_limit.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;
using Level = Finding::Level;

constexpr int64_t kMega = int64_t{1} << 20;
constexpr int64_t kLeastMemory = 512 * kMega;
constexpr rlim_t kLeastFiles = 4096;

std::string Megabytes(int64_t bytes) { return absl::StrCat(bytes / kMega, " MiB"); }

std::string LimitText(rlim_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : absl::StrCat(limit);
}

// The numbers of a list such as "0-3,8".
int CountRanges(const std::string& list) {
  int count = 0;
  for (const absl::string_view part : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    int first, last;
    if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) continue;
    count += last - first + 1;
  }
  return count;
}

}  // namespace

std::string MachineChecks::Text(const std::string& path) const {
  std::ifstream file(root_ + path);
  std::stringstream text;
  text << file.rdbuf();
  std::string result = text.str();
  absl::StripTrailingAsciiWhitespace(&result);
  return result;
}

std::string MachineChecks::CgroupText(const std::string& file) const {
  for (const absl::string_view line : absl::StrSplit(Text("/proc/self/cgroup"), '\n')) {
    if (!absl::StartsWith(line, "0::/")) continue;
    const std::string text = Text(absl::StrCat("/sys/fs/cgroup", line.substr(3), "/", file));
    if (!text.empty()) return text;
  }
  return Text("/sys/fs/cgroup/" + file);
}

Findings MachineChecks::All() const {
  return {CpuQuota(),     Throttling(),  Memory(), NumaNodes(), HugePages(),  OpenFiles(),
          LockedMemory(), CpuFeatures(), Gpus(),   ClockTime(), ClockSource()};
}

Finding MachineChecks::CpuQuota() const {
  Finding finding{"cpu quota"};
  const std::vector<std::string> fields = absl::StrSplit(CgroupText("cpu.max"), ' ');
  double quota = 0, period = 0;
  const bool limited = fields.size() == 2 && absl::SimpleAtod(fields[0], &quota) &&
                       absl::SimpleAtod(fields[1], &period) && period > 0;
  const int online = CountRanges(Text("/sys/devices/system/cpu/online"));
  finding.found = absl::StrCat(online, " processors, ");
  if (!limited) {
    absl::StrAppend(&finding.found, "no cgroup quota; ", AvailableCores(), " core slots");
    return finding;
  }
  const double cores = quota / period;
  absl::StrAppend(&finding.found, "cgroup quota of ", absl::StrFormat("%.2f", cores), " cores; ",
                  AvailableCores(), " core slots");
  if (cores < 1) {
    finding.level = Level::kWarn;
    finding.advice = "give it at least one whole core, or requests wait while it is throttled";
  } else if (cores != static_cast<int>(cores)) {
    finding.advice = "a whole number of cores uses the quota best";
  }
  return finding;
}

Finding MachineChecks::Throttling() const {
  Finding finding{"cpu throttling"};
  int64_t periods = 0, throttled = 0;
  for (const absl::string_view line : absl::StrSplit(CgroupText("cpu.stat"), '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() != 2) continue;
    if (fields[0] == "nr_periods" && !absl::SimpleAtoi(fields[1], &periods)) periods = 0;
    if (fields[0] == "nr_throttled" && !absl::SimpleAtoi(fields[1], &throttled)) throttled = 0;
  }
  finding.found = absl::StrCat(throttled, " of ", periods, " periods");
  if (throttled * 20 > periods) {
    finding.level = Level::kWarn;
    finding.advice = "raise the cgroup's cpu limit or lower --core-slots";
  }
  return finding;
}

Finding MachineChecks::Memory() const {
  const int64_t bytes = AvailableMemoryBytes();
  Finding finding{"memory"};
  finding.found = absl::StrCat(Megabytes(bytes), " may be used");
  if (bytes >= kLeastMemory) return finding;
  finding.level = Level::kWarn;
  finding.advice = "raise the memory limit: models and requests share it";
  return finding;
}

Finding MachineChecks::NumaNodes() const {
  Finding finding{"numa"};
  const int nodes = CountRanges(Text("/sys/devices/system/node/online"));
  finding.found = absl::StrCat(std::max(nodes, 1), nodes > 1 ? " nodes" : " node");
  if (nodes > 1) {
    finding.level = Level::kWarn;
    finding.advice = "run one daemon a node: numactl --cpunodebind=N --membind=N inferd serve ...";
  }
  return finding;
}

Finding MachineChecks::HugePages() const {
  Finding finding{"huge pages"};
  const std::string text = Text("/sys/kernel/mm/transparent_hugepage/enabled");
  const size_t open = text.find('[');
  const size_t close = text.find(']');
  const bool known = open != std::string::npos && close != std::string::npos && open < close;
  const std::string mode = known ? text.substr(open + 1, close - open - 1) : "unknown";
  finding.found = absl::StrCat("transparent huge pages: ", mode);
  if (mode == "always" || mode == "madvise") return finding;
  finding.level = Level::kWarn;
  finding.advice =
      "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: large weights run "
      "faster in huge pages";
  return finding;
}

Finding MachineChecks::CpuFeatures() const {
  Finding finding{"cpu features"};
  std::set<std::string> flags;
  std::string name = "unknown processor";
  for (const absl::string_view line : absl::StrSplit(Text("/proc/cpuinfo"), '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() != 2) continue;
    if (absl::StartsWith(line, "model name"))
      name = std::string(absl::StripAsciiWhitespace(parts[1]));
    if (absl::StartsWith(line, "flags")) {
      for (const auto& flag : absl::StrSplit(parts[1], ' ', absl::SkipEmpty())) {
        flags.emplace(flag);
      }
      break;
    }
  }
  const auto has = [&](const char* flag) { return flags.count(flag) > 0; };
  std::vector<std::string> present;
  for (const char* flag :
       {"avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"}) {
    if (has(flag)) present.push_back(flag);
  }
  const char* fp32 = has("avx512f") ? "AVX-512" : has("avx2") ? "AVX2" : "SSE4";
  const char* int8 = has("amx_int8")      ? "AMX"
                     : has("avx512_vnni") ? "AVX-512 VNNI"
                     : has("avx_vnni")    ? "AVX VNNI"
                                          : fp32;
  const char* bf16 = has("amx_bf16") ? "AMX" : has("avx512_bf16") ? "AVX512_BF16" : "none";
  finding.found = absl::StrCat(name, ": ", present.empty() ? "no AVX" : absl::StrJoin(present, " "),
                               "; kernels: fp32 ", fp32, ", int8 ", int8, ", bf16 ", bf16);
  if (!has("avx2")) {
    finding.level = Level::kWarn;
    finding.advice = "use a processor with AVX2, or let the virtual machine see its host's";
  }
  return finding;
}

Finding MachineChecks::Gpus() const {
  Finding finding{"gpu"};
  int cards = 0;
  std::error_code error;
  for (const fs::directory_entry& device :
       fs::directory_iterator(root_ + "/sys/bus/pci/devices", error)) {
    const std::string path = "/sys/bus/pci/devices/" + device.path().filename().string();
    // NVIDIA's, and a display or 3D controller.
    cards += Text(path + "/vendor") == "0x10de" && absl::StartsWith(Text(path + "/class"), "0x03");
  }
  const std::string driver = Text("/proc/driver/nvidia/version");
  if (cards == 0 && driver.empty()) {
    finding.found = "none; models run on the processor";
    return finding;
  }
  finding.found =
      absl::StrCat(cards, " NVIDIA cards, ",
                   driver.empty() ? std::string("no driver") : driver.substr(0, driver.find('\n')));
  if (driver.empty()) {
    finding.level = Level::kWarn;
    finding.advice = "install NVIDIA's driver, or ignore it where models run on the processor";
  }
  return finding;
}

Finding MachineChecks::ClockSource() const {
  Finding finding{"clock source"};
  finding.found = Text("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  if (finding.found.empty()) finding.found = "unknown";
  for (const char* slow : {"hpet", "acpi_pm", "jiffies", "xen", "refined-jiffies"}) {
    if (finding.found != slow) continue;
    finding.level = Level::kWarn;
    finding.advice = "each look at the clock takes a system call: let the kernel use tsc";
  }
  return finding;
}

Finding OpenFiles() {
  Finding finding{"open files"};
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  finding.found =
      absl::StrCat("limit ", LimitText(limit.rlim_cur), ", hard ", LimitText(limit.rlim_max));
  if (limit.rlim_cur < kLeastFiles) {
    finding.level = Level::kWarn;
    finding.advice = "each connection takes one: ulimit -n 65536, or LimitNOFILE= of the service";
  }
  return finding;
}

Finding LockedMemory() {
  Finding finding{"locked memory"};
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  finding.found = absl::StrCat("limit ", LimitText(limit.rlim_cur), " bytes; none is needed");
  return finding;
}

Finding ClockTime() {
  Finding finding{"clock"};
  const absl::Time now = absl::Now();
  timex state = {};
  const bool synchronized = adjtimex(&state) != -1 && (state.status & STA_UNSYNC) == 0;
  finding.found = absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone()),
                               synchronized ? ", synchronized" : ", not synchronized");
  if (now < absl::FromUnixSeconds(1700000000)) {
    finding.level = Level::kFail;
    finding.advice = "set the clock: certificates and traces need the time";
  } else if (!synchronized) {
    finding.level = Level::kWarn;
    finding.advice =
        "run chrony or systemd-timesyncd, on the host of a container: traces of several "
        "machines are joined by time";
  }
  return finding;
}

}  // namespace inferd
