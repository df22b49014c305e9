#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/tracing/request_timing.h"
#include "server/tracing/request_trace.h"
#include "server/tracing/span.h"

namespace inferd {

// How a traced request went. A value type.
struct TracedRequest {
  std::string model;
  std::string version;  // empty where none was found
  std::string request_id;
  std::string provider;
  // "name datatype[shape]" of each tensor, where they are traced.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  RequestTiming timing;
  absl::Status status;
  absl::Time ended;
};

// The spans of one request: InferRequest with the times under their known names as events; below it
// queue, batch (from the first traced request of the batch alone, linked to all of them),
// compute_input, compute_infer and compute_output. A request that was not executed has no more than
// queue. Without a batch span of its own, compute_infer is linked to the one there is.
std::vector<Span> MakeSpans(const RequestTrace& trace, const TracedRequest& request);

}  // namespace inferd
