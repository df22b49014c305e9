#pragma once

#include <cstdint>
#include <string>

#include "server/commands/finding.h"

namespace inferd {

// Whether a daemon could listen on this port; 0 is always free.
Finding CheckPort(const std::string& name, const std::string& address, int port);

// One finding for the folder and one for each model of it: config.pbtxt, label files, versions,
// model files that can be read. Models are not compiled.
Findings CheckRepository(const std::string& path);

// Whether the cache folder can be used: by its user alone, with room for `max_bytes` or what it
// has.
Finding CheckCacheFolder(const std::string& path, int64_t max_bytes);

}  // namespace inferd
