#pragma once

#include <cudnn.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/providers/cuda/cudnn_descriptor.h"
#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

cudnnDataType_t CudnnDataType(Type type);

// A tensor of an operation graph.
struct CudnnTensor {
  // Under which its address is given; 0 for one that only lives between two operations.
  int64_t id = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<int64_t> dims;
  std::vector<int64_t> strides;  // in elements
  bool in_host_memory = false;   // a number that is read when the work is given
};

// A convolution as the library sees it, but for its tensors.
struct CudnnWindow {
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;
  std::vector<int64_t> pads_begin;
  std::vector<int64_t> pads_end;
};

// A finalized operation graph with what it refers to.
struct CudnnGraph {
  std::vector<CudnnDescriptor> parts;
  CudnnDescriptor graph;
};

// Makes an operation graph of cuDNN's, an operation at a time. Tensors are named by the number that
// Add gave them. The first error makes what follows do nothing. Used once, by one thread.
class CudnnGraphBuilder {
 public:
  int Add(const CudnnTensor& tensor);

  void Convolve(int x, int w, int y, const CudnnWindow& window);
  // c = a b, of matrices in the last two dimensions.
  void Multiply(int a, int b, int c);
  // y = mode(x, b) in `compute`; b is -1 for modes of one operand, t the flags of a selection.
  void Pointwise(cudnnPointwiseMode_t mode, int x, int b, int y,
                 cudnnDataType_t compute = CUDNN_DATA_FLOAT, int t = -1);
  // y's elements say where they are along `axis` of x.
  void Index(int64_t axis, int x, int y);
  // Over the dimensions in which y has one element.
  void Reduce(cudnnReduceTensorOp_t op, int x, int y);

  absl::StatusOr<CudnnGraph> Build(cudnnHandle_t handle);

 private:
  const CudnnDescriptor& At(int tensor) const { return tensors_[tensor]; }
  // False, with the error kept, where it cannot be finalized.
  bool Finish(CudnnDescriptor* descriptor);
  void AddOperation(CudnnDescriptor operation, CudnnDescriptor description);

  absl::Status status_;
  int64_t unnamed_ = 1000;  // ids from here on are those of tensors without one
  std::vector<CudnnDescriptor> tensors_;
  std::vector<CudnnDescriptor> descriptions_;
  std::vector<CudnnDescriptor> operations_;
};

}  // namespace inferd::cuda
