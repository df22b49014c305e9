#pragma once

#include "server/http/http_routes.h"
#include "server/rest/rest_call.h"

namespace inferd {

// POST /v2/models/M[/versions/V]/generate and /generate_stream. A model gives one reply to a
// request, so that a stream is one event. `shared` outlives the routes.
void AddGenerateRoutes(const RestSurroundings& shared, HttpRoutes* routes);

}  // namespace inferd
