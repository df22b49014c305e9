#include "server/scheduler/batch_assembly.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {

int64_t BatchAssembly::kept_bytes() const {
  int64_t bytes = 0;
  for (const Tensor& buffer : buffers_) bytes += buffer.has_data() ? buffer.byte_size() : 0;
  return bytes;
}

absl::Status BatchAssembly::JoinInput(absl::Span<const InferRequest* const> requests, size_t input,
                                      Tensor* joined) {
  const Tensor& first = requests[0]->inputs[input];
  Shape shape = first.shape();
  shape[0] = 0;
  for (const InferRequest* request : requests) shape[0] += request->inputs[input].dim(0);

  if (first.dtype() == DType::kString) {
    ASSIGN_OR_RETURN(*joined, Tensor::Allocate(DType::kString, shape));
    std::string* to = joined->mutable_data<std::string>();
    for (const InferRequest* request : requests) {
      const absl::Span<const std::string> from = request->inputs[input].values<std::string>();
      to = std::copy(from.begin(), from.end(), to);
    }
    return absl::OkStatus();
  }

  const int64_t bytes = shape.num_elements() * ElementBytes(first.dtype());
  Tensor& buffer = buffers_[input];
  if (!buffer.has_data() || buffer.byte_size() < bytes) {
    ASSIGN_OR_RETURN(buffer, Tensor::Allocate(DType::kUint8, Shape{std::max<int64_t>(bytes, 64)}));
  }
  uint8_t* to = buffer.mutable_data<uint8_t>();
  for (const InferRequest* request : requests) {
    const Tensor& from = request->inputs[input];
    if (from.byte_size() > 0) std::memcpy(to, from.raw(), from.byte_size());
    to += from.byte_size();
  }
  *joined = Tensor::View(first.dtype(), shape, buffer.raw());
  return absl::OkStatus();
}

absl::Status BatchAssembly::Join(absl::Span<const InferRequest* const> requests,
                                 std::vector<Tensor>* joined) {
  const size_t inputs = requests[0]->inputs.size();
  buffers_.resize(inputs);
  joined->resize(inputs);
  for (size_t i = 0; i < inputs; ++i) RETURN_IF_ERROR(JoinInput(requests, i, &(*joined)[i]));
  return absl::OkStatus();
}

absl::Status CheckOutputRows(absl::Span<const Tensor> outputs, int64_t rows) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& output = outputs[i];
    if (output.kind() == ValueKind::kTensor && output.rank() > 0 && output.dim(0) == rows &&
        output.layout() == Layout::kRowMajor) {
      continue;
    }
    return absl::InternalError(absl::StrCat("output ", i, " of a batch of ", rows,
                                            " rows: expected dimension 0 to be ", rows, ", got ",
                                            output.TypeString()));
  }
  return absl::OkStatus();
}

std::vector<Tensor> SliceRows(absl::Span<const Tensor> tensors, int64_t begin, int64_t rows) {
  std::vector<Tensor> slices;
  slices.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    Shape shape = tensor.shape();
    shape[0] = rows;
    const int64_t row_bytes = shape.Product(1, shape.rank()) * ElementBytes(tensor.dtype());
    slices.push_back(Tensor::View(tensor.dtype(), shape,
                                  static_cast<const char*>(tensor.raw()) + begin * row_bytes));
  }
  return slices;
}

}  // namespace inferd
