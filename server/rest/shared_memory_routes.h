#pragma once

#include "server/http/http_routes.h"
#include "server/rest/rest_call.h"

namespace inferd {

// /v2/systemsharedmemory and /v2/cudasharedmemory: GET [/region/R]/status, POST /region/R/register
// and [/region/R]/unregister. `shared` outlives the routes.
void AddSharedMemoryRoutes(const RestSurroundings& shared, HttpRoutes* routes);

}  // namespace inferd
