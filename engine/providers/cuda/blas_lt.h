#pragma once

#include <cublasLt.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/core/dtype.h"
#include "engine/providers/cuda/cuda_context.h"

namespace inferd::cuda {

// D = relu(alpha * A B + beta * C + bias), row-major: A [m,k], B [k,n] (each maybe stored
// transposed), C and D [m,n], bias [n]; `batch` of them at strides in elements, bias shared. Of
// int8 operands it is D = A B in int32, alone. Those of floats of 8 bits, of which one may be
// float8e5m2, are each multiplied by one scale; B is stored transposed, k and n are multiples of
// 16, and a bias goes with results of 16 bits only.
struct ProductSpec {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  bool a_transposed = false;
  bool b_transposed = false;
  DType a_type = DType::kFloat32;       // floats, or int8
  DType b_type = DType::kFloat32;       // that of A
  DType result_type = DType::kFloat32;  // of C, D and bias; int32 of int8
  float alpha = 1;
  float beta = 0;  // 0: there is no C
  bool bias = false;
  bool relu = false;
  bool tf32 = false;
  int64_t batch = 1;
  int64_t a_stride = 0;
  int64_t b_stride = 0;
  int64_t d_stride = 0;  // of C, too
};

struct ProductOperands {
  const void* a = nullptr;
  const void* b = nullptr;
  const void* a_scale = nullptr;  // a float32 each, of operands of 8-bit floats
  const void* b_scale = nullptr;
  const void* c = nullptr;
  const void* bias = nullptr;
  void* d = nullptr;
  void* workspace = nullptr;  // of workspace_bytes()
};

// One product with an algorithm of cuBLASLt's. Immutable; Run may be called by many threads at
// once, each with its own context.
class Product {
 public:
  absl::Status Run(const ProductOperands& operands, CudaContext& cuda) const;
  int64_t workspace_bytes() const { return workspace_bytes_; }
  int rank() const { return rank_; }  // of the algorithm, the library's first choice being 0

 private:
  friend class BlasLt;
  absl::Status MakeDescription(const ProductOperands& operands,
                               cublasLtMatmulDescOpaque_t* description) const;

  cublasLtHandle_t handle_ = nullptr;
  ProductSpec spec_;
  cublasLtMatrixLayoutOpaque_t a_ = {};
  cublasLtMatrixLayoutOpaque_t b_ = {};
  cublasLtMatrixLayoutOpaque_t d_ = {};
  cublasLtMatmulAlgo_t algorithm_ = {};
  int64_t workspace_bytes_ = 0;
  int rank_ = 0;
};

// A cuBLASLt handle, which any number of threads may use. Thread-safe.
class BlasLt {
 public:
  static absl::StatusOr<BlasLt> Make();

  // Algorithms that are worth a measurement, at most.
  static constexpr int kMostAlgorithms = 8;

  // With the algorithm that the library's heuristic gives this rank, or the first where there are
  // not as many. UNIMPLEMENTED when there is none. The handle must outlive the product.
  absl::StatusOr<Product> Plan(const ProductSpec& spec, int rank = 0) const;

 private:
  using Handle = std::shared_ptr<std::remove_pointer_t<cublasLtHandle_t>>;
  explicit BlasLt(Handle handle) : handle_(std::move(handle)) {}
  Handle handle_;
};

}  // namespace inferd::cuda
