#pragma once

#include "server/http/http_routes.h"
#include "server/rest/rest_call.h"

namespace inferd {

// Every path of the REST protocol except health. `shared` outlives the routes.
void AddRestRoutes(const RestSurroundings& shared, HttpRoutes* routes);

}  // namespace inferd
