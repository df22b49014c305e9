#pragma once

#include "absl/status/statusor.h"
#include "proto/inference.pb.h"
#include "server/repository/model_repository.h"

namespace inferd {

// The overrides that a load request brings. INVALID_ARGUMENT for a parameter that is unknown or of
// the wrong type, UNIMPLEMENTED for a repository name.
absl::StatusOr<ModelOverrides> ReadOverrides(const inference::RepositoryModelLoadRequest& request);

// Checks an unload request. Codes as above.
absl::Status CheckUnload(const inference::RepositoryModelUnloadRequest& request);

}  // namespace inferd
