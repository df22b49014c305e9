#pragma once

#include "server/http/http_routes.h"
#include "server/rest/rest_call.h"

namespace inferd {

// GET and POST /v2/logging, /v2/trace/setting and /v2/models/M/trace/setting. `shared` outlives the
// routes.
void AddSettingRoutes(const RestSurroundings& shared, HttpRoutes* routes);

}  // namespace inferd
