#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "config/server_options.h"

namespace CLI {
class App;
}

namespace inferd {

// The flags of `inferd serve` about connections, who may do what, and memory. A value type.
struct SecurityFlags {
  bool compressed_requests = false;
  std::string max_age, max_age_grace;
  std::string keepalive_time, keepalive_timeout, min_ping_interval;
  TlsOptions tls;
  AccessOptions access;
  std::string reload_interval;
  std::string model_digests;
  int64_t memory_limit_bytes = 0;
};

// "5", "1.5" (seconds) or "500ms"; INVALID_ARGUMENT naming the flag.
absl::Status ReadDuration(const char* flag, const std::string& text, absl::Duration* duration);

// Adds the flags to `command`; `flags` must outlive the parsing.
void AddSecurityFlags(CLI::App* command, SecurityFlags* flags);

// Puts those that were given into `options`.
absl::Status TakeSecurityFlags(const CLI::App& command, const SecurityFlags& flags,
                               ServerOptions* options);

}  // namespace inferd
