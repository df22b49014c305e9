#pragma once

#include <cudnn.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace inferd::cuda {

// A descriptor of cuDNN's backend: made, given attributes, finalized. The first error is kept and
// makes what follows do nothing, so that only Finalize needs to be looked at. Used by one thread at
// a time.
class CudnnDescriptor {
 public:
  CudnnDescriptor() = default;
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept;
  CudnnDescriptor& operator=(CudnnDescriptor&& other) noexcept;

  void Set(cudnnBackendAttributeName_t name, absl::Span<const int64_t> values);
  void Set(cudnnBackendAttributeName_t name, int64_t value) { Set(name, {&value, 1}); }
  void Set(cudnnBackendAttributeName_t name, double value);
  void Set(cudnnBackendAttributeName_t name, float value);
  void Set(cudnnBackendAttributeName_t name, bool value);
  void Set(cudnnBackendAttributeName_t name, cudnnDataType_t value);
  void Set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value);
  void Set(cudnnBackendAttributeName_t name, cudnnPointwiseMode_t value);
  void Set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value);
  void Set(cudnnBackendAttributeName_t name, cudnnReduceTensorOp_t value);
  void Set(cudnnBackendAttributeName_t name, cudnnHandle_t value);
  void Set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value);
  void SetDescriptors(cudnnBackendAttributeName_t name,
                      absl::Span<const cudnnBackendDescriptor_t> values);
  void SetAddresses(cudnnBackendAttributeName_t name, absl::Span<void* const> values);

  // UNIMPLEMENTED where cuDNN does not support what it describes.
  absl::Status Finalize();
  const absl::Status& status() const { return status_; }
  cudnnBackendDescriptor_t get() const { return descriptor_; }

 private:
  void Set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
           const void* values);

  cudnnBackendDescriptor_t descriptor_ = nullptr;
  absl::Status status_;
};

}  // namespace inferd::cuda
