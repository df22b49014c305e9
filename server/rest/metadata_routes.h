#pragma once

#include "server/http/http_routes.h"
#include "server/rest/rest_call.h"

namespace inferd {

// GET /v2, /v2/models/M[/versions/V], the same with /config and /stats, and /v2/models/stats.
// `shared` outlives the routes.
void AddMetadataRoutes(const RestSurroundings& shared, HttpRoutes* routes);

}  // namespace inferd
