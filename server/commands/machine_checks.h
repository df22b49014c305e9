#pragma once

#include <string>

#include "server/commands/finding.h"

namespace inferd {

// What the kernel says of the machine, in files below a root: the daemon's own or a test's. Each
// function makes one finding, or one a device.
class MachineChecks {
 public:
  explicit MachineChecks(std::string root = "") : root_(std::move(root)) {}

  // Everything below, in this order.
  Findings All() const;

  Finding CpuQuota() const;
  Finding Throttling() const;
  Finding Memory() const;
  Finding NumaNodes() const;
  Finding HugePages() const;
  Finding CpuFeatures() const;
  Finding Gpus() const;
  Finding ClockSource() const;

 private:
  // The text of a file, without what is white at its end; empty where there is none.
  std::string Text(const std::string& path) const;
  // The same for a file of this process's cgroup.
  std::string CgroupText(const std::string& file) const;

  const std::string root_;
};

// What the system says to this process rather than in files.
Finding OpenFiles();
Finding LockedMemory();
Finding ClockTime();

}  // namespace inferd
