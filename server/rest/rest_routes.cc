#include "server/rest/rest_routes.h"

#include "server/rest/generate_routes.h"
#include "server/rest/infer_routes.h"
#include "server/rest/metadata_routes.h"
#include "server/rest/repository_routes.h"
#include "server/rest/setting_routes.h"
#include "server/rest/shared_memory_routes.h"

namespace inferd {

void AddRestRoutes(const RestSurroundings& shared, HttpRoutes* routes) {
  AddMetadataRoutes(shared, routes);
  AddInferRoutes(shared, routes);
  AddGenerateRoutes(shared, routes);
  AddRepositoryRoutes(shared, routes);
  AddSharedMemoryRoutes(shared, routes);
  AddSettingRoutes(shared, routes);
}

}  // namespace inferd
