#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "server/scheduler/infer_request.h"

namespace inferd {

// Joins the rows of several requests into one batch, with one copy into buffers that are kept from
// batch to batch. Owned by a batcher, one for each batch under way. Used by one thread at a time.
class BatchAssembly {
 public:
  // Makes `joined` hold, for each input, the rows of all `requests` in their order. The requests
  // have the same inputs but for dimension 0. `joined` is valid until the next Join.
  // RESOURCE_EXHAUSTED when there is no memory.
  absl::Status Join(absl::Span<const InferRequest* const> requests, std::vector<Tensor>* joined);

  // Bytes of the buffers kept.
  int64_t kept_bytes() const;

 private:
  absl::Status JoinInput(absl::Span<const InferRequest* const> requests, size_t input,
                         Tensor* joined);

  std::vector<Tensor> buffers_;  // uint8, one an input
};

// Checks that every output is a row-major tensor with `rows` as dimension 0, as splitting a batch
// needs. INTERNAL naming the output by its index.
absl::Status CheckOutputRows(absl::Span<const Tensor> outputs, int64_t rows);

// Views of the rows [begin, begin + rows) of every tensor; nothing is copied.
std::vector<Tensor> SliceRows(absl::Span<const Tensor> tensors, int64_t begin, int64_t rows);

}  // namespace inferd
