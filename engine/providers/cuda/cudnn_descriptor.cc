#include "engine/providers/cuda/cudnn_descriptor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/providers/cuda/cuda_status.h"

namespace inferd::cuda {

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type)
    : status_(ToStatus(cudnnBackendCreateDescriptor(type, &descriptor_), "a descriptor")) {}

CudnnDescriptor::~CudnnDescriptor() {
  if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
}

CudnnDescriptor::CudnnDescriptor(CudnnDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, nullptr)), status_(std::move(other.status_)) {}

CudnnDescriptor& CudnnDescriptor::operator=(CudnnDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(status_, other.status_);
  return *this;
}

void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          int64_t count, const void* values) {
  if (!status_.ok()) return;
  status_ = ToStatus(cudnnBackendSetAttribute(descriptor_, name, type, count, values),
                     absl::StrCat("attribute ", static_cast<int>(name)));
}

void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, absl::Span<const int64_t> values) {
  Set(name, CUDNN_TYPE_INT64, static_cast<int64_t>(values.size()), values.data());
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, double value) {
  Set(name, CUDNN_TYPE_DOUBLE, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, float value) {
  Set(name, CUDNN_TYPE_FLOAT, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, bool value) {
  Set(name, CUDNN_TYPE_BOOLEAN, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
  Set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value) {
  Set(name, CUDNN_TYPE_CONVOLUTION_MODE, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, cudnnPointwiseMode_t value) {
  Set(name, CUDNN_TYPE_POINTWISE_MODE, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value) {
  Set(name, CUDNN_TYPE_HEUR_MODE, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, cudnnReduceTensorOp_t value) {
  Set(name, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, cudnnHandle_t value) {
  Set(name, CUDNN_TYPE_HANDLE, 1, &value);
}
void CudnnDescriptor::Set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value) {
  if (status_.ok()) status_ = value.status();
  Set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.descriptor_);
}
void CudnnDescriptor::SetDescriptors(cudnnBackendAttributeName_t name,
                                     absl::Span<const cudnnBackendDescriptor_t> values) {
  Set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(values.size()), values.data());
}
void CudnnDescriptor::SetAddresses(cudnnBackendAttributeName_t name,
                                   absl::Span<void* const> values) {
  Set(name, CUDNN_TYPE_VOID_PTR, static_cast<int64_t>(values.size()), values.data());
}

absl::Status CudnnDescriptor::Finalize() {
  if (status_.ok()) status_ = ToStatus(cudnnBackendFinalize(descriptor_), "a descriptor");
  return status_;
}

}  // namespace inferd::cuda
