#pragma once

#include "server/http/http_routes.h"
#include "server/rest/rest_call.h"

namespace inferd {

// POST /v2/repository/index, /v2/repository/models/M/load and /unload; with a repository's name
// behind /v2/repository, too, which is refused. A load's files come as base64. `shared` outlives
// the routes.
void AddRepositoryRoutes(const RestSurroundings& shared, HttpRoutes* routes);

}  // namespace inferd
