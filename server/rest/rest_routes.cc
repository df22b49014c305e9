#include "server/rest/rest_routes.h"

#include "server/rest/infer_routes.h"

namespace inferd {

void AddRestRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  AddInferRoutes(shared, routes);
}

}  // namespace inferd
