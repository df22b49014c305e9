#pragma once

#include <cudnn.h>

#include <cstdint>
#include <vector>

// The operations of cuDNN's graphs as its documentation describes them, an element at a time.
namespace inferd::cuda_emulation {

struct CudnnTensor {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<int64_t> dims;
  std::vector<int64_t> strides;
  void* data = nullptr;
};

int64_t BytesOf(cudnnDataType_t type);

// y [N,K,...] = the cross-correlation of x [N,C,...] with w [K,C / groups,...].
void Convolve(const CudnnTensor& x, const CudnnTensor& w, const CudnnTensor& y,
              const std::vector<int64_t>& pads, const std::vector<int64_t>& strides,
              const std::vector<int64_t>& dilations);
// c = a b in the last two dimensions; a dimension before them that is smaller than that of c is
// repeated as a whole, each of its elements as often as it takes.
void Multiply(const CudnnTensor& a, const CudnnTensor& b, const CudnnTensor& c);
// False for a mode that is not emulated. b and t may be null.
bool Pointwise(cudnnPointwiseMode_t mode, int64_t axis, const CudnnTensor& x, const CudnnTensor* b,
               const CudnnTensor* t, const CudnnTensor& y);
// The greatest, or the sum, over the dimensions in which y has one element.
void Reduce(cudnnReduceTensorOp_t op, const CudnnTensor& x, const CudnnTensor& y);

}  // namespace inferd::cuda_emulation
