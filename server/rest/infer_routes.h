#pragma once

#include "server/http/http_routes.h"
#include "server/rest/rest_call.h"

namespace inferd {

// POST /v2/models/M[/versions/V]/infer: JSON, with tensors as JSON or as binary data behind it, or
// the data of a model's only input alone.
// `shared` outlives the routes.
void AddInferRoutes(const RestSurroundings& shared, HttpRoutes* routes);

}  // namespace inferd
