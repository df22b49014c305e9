#pragma once

#include "absl/status/status.h"
#include "proto/inference.pb.h"
#include "server/repository/model_repository.h"
#include "server/rpc/infer_call.h"

namespace inferd {

// The metadata group of calls: what the server and its models are and have done. Unknown models and
// versions are NOT_FOUND, those that are not READY are UNAVAILABLE.

// Its extensions are those that `features` has.
absl::Status DescribeServer(const InferFeatures& features,
                            inference::ServerMetadataResponse* response);
absl::Status DescribeModel(const ModelRepository& repository,
                           const inference::ModelMetadataRequest& request,
                           inference::ModelMetadataResponse* response);
absl::Status ShowModelConfig(const ModelRepository& repository,
                             const inference::ModelConfigRequest& request,
                             inference::ModelConfigResponse* response);
// Every READY version of one model, or of all for an empty name; a version alone is refused.
absl::Status ShowStatistics(const ModelRepository& repository,
                            const inference::ModelStatisticsRequest& request,
                            inference::ModelStatisticsResponse* response);
absl::Status ShowRepositoryIndex(const ModelRepository& repository,
                                 const inference::RepositoryIndexRequest& request,
                                 inference::RepositoryIndexResponse* response);

}  // namespace inferd
