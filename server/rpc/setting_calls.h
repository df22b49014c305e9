#pragma once

#include "absl/status/status.h"
#include "proto/inference.pb.h"
#include "server/tracing/tracer.h"

namespace inferd {

// Changes the log settings that `request` names and answers with all of them. INVALID_ARGUMENT,
// with nothing changed, for a setting that is unknown, read-only or of the wrong type.
absl::Status ChangeLogSettings(const inference::LogSettingsRequest& request,
                               inference::LogSettingsResponse* response);

// Changes the trace settings that `request` names, of one model or of all, and answers with those
// in force there. A setting without values goes back to what all models have, or to what the server
// was started with. INVALID_ARGUMENT, with nothing changed, for a wrong setting; UNIMPLEMENTED for
// any change without `tracer`: traces would go nowhere. The caller checks that the model is there.
absl::Status ChangeTraceSettings(Tracer* tracer, const inference::TraceSettingRequest& request,
                                 inference::TraceSettingResponse* response);

}  // namespace inferd
