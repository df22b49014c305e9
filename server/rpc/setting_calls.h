#pragma once

#include "absl/status/status.h"
#include "proto/inference.pb.h"

namespace inferd {

// Changes the log settings that `request` names and answers with all of them. INVALID_ARGUMENT,
// with nothing changed, for a setting that is unknown, read-only or of the wrong type.
absl::Status ChangeLogSettings(const inference::LogSettingsRequest& request,
                               inference::LogSettingsResponse* response);

}  // namespace inferd
