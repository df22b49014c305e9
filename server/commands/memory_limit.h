#pragma once

#include <cstdint>
#include <string>

namespace inferd {

// Bytes of memory this process may use: the smallest limit of its cgroup and those above it
// (version 2 or 1), at most the machine's memory.
int64_t AvailableMemoryBytes();

// The smallest limit for a process whose /proc/self/cgroup reads `cgroups`, with the cgroup file
// systems under `mount_root`; -1 where there is none. For AvailableMemoryBytes() and its test.
int64_t CgroupMemoryLimit(const std::string& cgroups, const std::string& mount_root);

}  // namespace inferd
