// config.pbtxt and a server config as anybody may write them: refused with a message, or taken with
// values that are within their bounds.
#include <cstdint>
#include <cstdlib>

#include "config/model_options.h"
#include "config/server_options.h"

namespace {

void CheckOptions(const inferd::ModelOptions& options) {
  const bool has_rows = options.configured_max_batch_size.value_or(0) >= 0;
  const bool has_file =
      !options.model_filename.empty() && options.model_filename.find('/') == std::string::npos;
  if (!has_rows || !has_file || options.max_queue_requests < 1) std::abort();
  for (const auto& output : options.config.output()) {
    if (output.label_filename().find('/') != std::string::npos) std::abort();
  }
  for (const auto& [alias, version] : options.version_aliases) {
    if (alias.empty() || version < 1) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto options = inferd::ParseModelOptions(text, "model");
  if (options.ok()) {
    CheckOptions(*options);
  } else if (options.status().message().empty()) {
    std::abort();
  }
  inferd::ServerOptions server;
  if (inferd::ApplyServerConfig(text, &server).ok()) (void)inferd::CheckServerOptions(server);
  return 0;
}
