#include "engine/providers/cuda/blas_lt.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/providers/cuda/cuda_status.h"
#include "engine/providers/cuda/node_checks.h"

namespace inferd::cuda {
namespace {

// Of values; weights lie better.
constexpr uint32_t kAlignmentBytes = kDeviceValueAlignment;
// What NVIDIA advises for Hopper; algorithms that ask for less get less.
constexpr uint64_t kMostWorkspaceBytes = uint64_t{32} << 20;

cudaDataType_t DataType(DType type) {
  switch (type) {
    case DType::kFloat16:
      return CUDA_R_16F;
    case DType::kBfloat16:
      return CUDA_R_16BF;
    case DType::kFloat8E4m3fn:
      return CUDA_R_8F_E4M3;
    case DType::kFloat8E5m2:
      return CUDA_R_8F_E5M2;
    case DType::kInt8:
      return CUDA_R_8I;
    case DType::kInt32:
      return CUDA_R_32I;
    default:
      return CUDA_R_32F;
  }
}

template <typename T>
absl::Status Set(cublasLtMatmulDesc_t description, cublasLtMatmulDescAttributes_t attribute,
                 const T& value) {
  return ToStatus(cublasLtMatmulDescSetAttribute(description, attribute, &value, sizeof(value)),
                  "a product");
}

template <typename T>
absl::Status Set(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t attribute,
                 const T& value) {
  return ToStatus(cublasLtMatrixLayoutSetAttribute(layout, attribute, &value, sizeof(value)),
                  "a matrix");
}

template <typename T>
absl::Status Set(cublasLtMatmulPreference_t preference,
                 cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  return ToStatus(
      cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof(value)),
      "a product's preferences");
}

// A row-major matrix [rows, columns], which the library sees as its transpose.
absl::Status MakeLayout(DType type, int64_t rows, int64_t columns, int64_t batch, int64_t stride,
                        cublasLtMatrixLayoutOpaque_t* layout) {
  RETURN_IF_ERROR(
      ToStatus(cublasLtMatrixLayoutInit(layout, DataType(type), static_cast<uint64_t>(columns),
                                        static_cast<uint64_t>(rows), columns),
               "a matrix"));
  if (batch == 1) return absl::OkStatus();
  RETURN_IF_ERROR(Set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(batch)));
  return Set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
}

cublasLtEpilogue_t EpilogueOf(const ProductSpec& spec) {
  if (spec.bias) return spec.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  return spec.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

// What the heuristic is told.
absl::Status MakePreference(cublasLtMatmulPreferenceOpaque_t* preference) {
  RETURN_IF_ERROR(ToStatus(cublasLtMatmulPreferenceInit(preference), "a product's preferences"));
  RETURN_IF_ERROR(Set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMostWorkspaceBytes));
  for (const auto alignment :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    RETURN_IF_ERROR(Set(preference, alignment, kAlignmentBytes));
  }
  return absl::OkStatus();
}

}  // namespace

// The library's matrices are column-major, so that it is asked for the transpose D' = B' A': its
// first operand is our B, and the bias is one value for each of its rows.
absl::Status Product::MakeDescription(const ProductOperands& operands,
                                      cublasLtMatmulDescOpaque_t* description) const {
  const bool floats = spec_.a_type == DType::kFloat32;
  const bool integers = spec_.a_type == DType::kInt8;
  const cublasComputeType_t compute = integers               ? CUBLAS_COMPUTE_32I
                                      : floats && spec_.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                             : CUBLAS_COMPUTE_32F;
  RETURN_IF_ERROR(
      ToStatus(cublasLtMatmulDescInit(description, compute, integers ? CUDA_R_32I : CUDA_R_32F),
               "a product"));
  const cublasOperation_t of_b = spec_.b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t of_a = spec_.a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  RETURN_IF_ERROR(Set(description, CUBLASLT_MATMUL_DESC_TRANSA, static_cast<int32_t>(of_b)));
  RETURN_IF_ERROR(Set(description, CUBLASLT_MATMUL_DESC_TRANSB, static_cast<int32_t>(of_a)));
  RETURN_IF_ERROR(
      Set(description, CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<uint32_t>(EpilogueOf(spec_))));
  if (IsFloat8Type(spec_.a_type)) {
    RETURN_IF_ERROR(Set(description, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, operands.b_scale));
    RETURN_IF_ERROR(Set(description, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, operands.a_scale));
  }
  if (!spec_.bias) return absl::OkStatus();
  RETURN_IF_ERROR(Set(description, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE,
                      static_cast<int32_t>(DataType(spec_.result_type))));
  return Set(description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, operands.bias);
}

absl::Status Product::Run(const ProductOperands& operands, CudaContext& cuda) const {
  cublasLtMatmulDescOpaque_t description;
  RETURN_IF_ERROR(MakeDescription(operands, &description));
  const void* c = spec_.beta == 0 ? operands.d : operands.c;
  // Factors of integers are integers.
  const int32_t one = 1;
  const int32_t zero = 0;
  const bool integers = spec_.a_type == DType::kInt8;
  const void* alpha = integers ? static_cast<const void*>(&one) : &spec_.alpha;
  const void* beta = integers ? static_cast<const void*>(&zero) : &spec_.beta;
  // The layouts are only read.
  auto* a = const_cast<cublasLtMatrixLayoutOpaque_t*>(&a_);
  auto* b = const_cast<cublasLtMatrixLayoutOpaque_t*>(&b_);
  auto* d = const_cast<cublasLtMatrixLayoutOpaque_t*>(&d_);
  return ToStatus(cublasLtMatmul(handle_, &description, alpha, operands.b, b, operands.a, a, beta,
                                 c, d, operands.d, d, &algorithm_, operands.workspace,
                                 static_cast<size_t>(workspace_bytes_), cuda.stream()),
                  "a product");
}

absl::StatusOr<BlasLt> BlasLt::Make() {
  cublasLtHandle_t handle = nullptr;
  RETURN_IF_ERROR(ToStatus(cublasLtCreate(&handle), "a cuBLASLt handle"));
  return BlasLt(Handle(handle, [](cublasLtHandle_t made) { cublasLtDestroy(made); }));
}

absl::StatusOr<Product> BlasLt::Plan(const ProductSpec& spec, int rank) const {
  Product product;
  product.handle_ = handle_.get();
  product.spec_ = spec;
  const int64_t a_rows = spec.a_transposed ? spec.k : spec.m;
  const int64_t b_rows = spec.b_transposed ? spec.n : spec.k;
  RETURN_IF_ERROR(MakeLayout(spec.a_type, a_rows, spec.m + spec.k - a_rows, spec.batch,
                             spec.a_stride, &product.a_));
  RETURN_IF_ERROR(MakeLayout(spec.b_type, b_rows, spec.n + spec.k - b_rows, spec.batch,
                             spec.b_stride, &product.b_));
  RETURN_IF_ERROR(
      MakeLayout(spec.result_type, spec.m, spec.n, spec.batch, spec.d_stride, &product.d_));
  // Only their alignment is looked at.
  const auto* aligned = reinterpret_cast<const void*>(uintptr_t{kAlignmentBytes});
  const ProductOperands operands = {.a_scale = aligned, .b_scale = aligned, .bias = aligned};
  cublasLtMatmulDescOpaque_t description;
  RETURN_IF_ERROR(product.MakeDescription(operands, &description));
  cublasLtMatmulPreferenceOpaque_t preference;
  RETURN_IF_ERROR(MakePreference(&preference));
  cublasLtMatmulHeuristicResult_t found[kMostAlgorithms] = {};
  int count = 0;
  const absl::Status status =
      ToStatus(cublasLtMatmulAlgoGetHeuristic(handle_.get(), &description, &product.b_, &product.a_,
                                              &product.d_, &product.d_, &preference,
                                              kMostAlgorithms, found, &count),
               "a product's algorithm");
  RETURN_IF_ERROR(status);
  const auto* end = std::remove_if(found, found + count, [](const auto& result) {
    return result.state != CUBLAS_STATUS_SUCCESS;
  });
  const auto usable = static_cast<int>(end - found);
  if (usable == 0) {
    return absl::UnimplementedError(absl::StrCat("cuBLASLt has no algorithm for a product of [",
                                                 spec.m, ",", spec.k, "] by [", spec.k, ",", spec.n,
                                                 "], ", spec.batch, " times"));
  }
  product.rank_ = rank < usable ? rank : 0;
  product.algorithm_ = found[product.rank_].algo;
  product.workspace_bytes_ = static_cast<int64_t>(found[product.rank_].workspaceSize);
  return product;
}

}  // namespace inferd::cuda
