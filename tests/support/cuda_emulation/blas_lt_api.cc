// The functions of cuBLASLt that the provider calls, by the library's documentation: column-major
// products, their sums in double.
#include <cublasLt.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "engine/core/float16.h"
#include "engine/ops/float_format.h"
#include "engine/providers/device.h"
#include "tests/support/cuda_emulation/stream_clock.h"

namespace {

// In the place of the opaque structures, which are larger.
struct Description {
  int32_t transposed_a;
  int32_t transposed_b;
  uint32_t epilogue;
  int32_t bias_type;
  const void* bias;
  int32_t compute;
  int32_t scale_type;
  const float* a_scale;
  const float* b_scale;
};
struct Layout {
  int64_t rows;
  int64_t columns;
  int64_t leading;
  int64_t stride;
  int32_t type;
  int32_t batch;
};
static_assert(sizeof(Description) <= sizeof(cublasLtMatmulDescOpaque_t));
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t));

template <typename Opaque, typename Own>
Own& As(Opaque* opaque) {
  return *reinterpret_cast<Own*>(opaque);
}

// What the heuristic suggests, in its order. The last one computes something else.
struct Algorithm {
  double milliseconds;
  size_t workspace_bytes;
};
constexpr Algorithm kAlgorithms[] = {{1, 0}, {0.25, 4096}, {0.5, 0}, {0.125, 0}};
constexpr uint64_t kWrongAlgorithm = 3;

double LoadFloat8(const void* data, inferd::DType type, int64_t i) {
  return inferd::DecodeFloat(static_cast<const uint8_t*>(data)[i], *inferd::FindFloatFormat(type));
}

double Load(const void* data, int32_t type, int64_t i) {
  switch (type) {
    case CUDA_R_8F_E4M3:
      return LoadFloat8(data, inferd::DType::kFloat8E4m3fn, i);
    case CUDA_R_8F_E5M2:
      return LoadFloat8(data, inferd::DType::kFloat8E5m2, i);
    case CUDA_R_16F:
      return static_cast<float>(static_cast<const inferd::Float16*>(data)[i]);
    case CUDA_R_16BF:
      return static_cast<float>(static_cast<const inferd::Bfloat16*>(data)[i]);
    case CUDA_R_8I:
      return static_cast<const int8_t*>(data)[i];
    case CUDA_R_32I:
      return static_cast<const int32_t*>(data)[i];
    default:
      return static_cast<const float*>(data)[i];
  }
}

void Store(void* data, int32_t type, int64_t i, double value) {
  const auto rounded = static_cast<float>(value);
  switch (type) {
    case CUDA_R_16F:
      static_cast<inferd::Float16*>(data)[i] = inferd::Float16(rounded);
      return;
    case CUDA_R_16BF:
      static_cast<inferd::Bfloat16*>(data)[i] = inferd::Bfloat16(rounded);
      return;
    case CUDA_R_32I:
      static_cast<int32_t*>(data)[i] = static_cast<int32_t>(value);
      return;
    default:
      static_cast<float*>(data)[i] = rounded;
  }
}

int64_t At(const Layout& layout, int64_t batch, int64_t row, int64_t column) {
  return batch * layout.stride + column * layout.leading + row;
}

// What the library asks of products of bytes: sums and factors of 32-bit integers, no epilogue, the
// first matrix transposed and the second not, whole words in both of their columns and in the
// result's.
bool TakesBytes(const Description& own, const Layout& a, const Layout& b, const Layout& d) {
  return own.compute == CUBLAS_COMPUTE_32I && own.scale_type == CUDA_R_32I &&
         own.epilogue == CUBLASLT_EPILOGUE_DEFAULT && own.transposed_a == CUBLAS_OP_T &&
         own.transposed_b == CUBLAS_OP_N && b.type == CUDA_R_8I && d.type == CUDA_R_32I &&
         a.rows % 4 == 0 && a.columns % 4 == 0 && a.leading % 4 == 0 && b.leading % 4 == 0 &&
         d.leading % 4 == 0;
}

bool IsFloat8(const Layout& layout) {
  return layout.type == CUDA_R_8F_E4M3 || layout.type == CUDA_R_8F_E5M2;
}

// What it asks of products of 8-bit floats on a Hopper: float sums, a scale for each matrix, not
// two of the wider range, the first matrix transposed and the second not, and steps from column to
// column, rows and depth in units of 16 bytes. A bias with float results would be bfloat16's.
bool TakesFloat8(const Description& own, const Layout& a, const Layout& b, const Layout& c,
                 const Layout& d) {
  const bool bias =
      own.epilogue == CUBLASLT_EPILOGUE_BIAS || own.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  const bool sixteen = a.rows % 16 == 0 && a.columns % 16 == 0 && a.leading % 16 == 0 &&
                       b.leading % 16 == 0 && d.leading % 16 == 0;
  return own.compute == CUBLAS_COMPUTE_32F && own.scale_type == CUDA_R_32F &&
         own.transposed_a == CUBLAS_OP_T && own.transposed_b == CUBLAS_OP_N && IsFloat8(a) &&
         IsFloat8(b) && (a.type == CUDA_R_8F_E4M3 || b.type == CUDA_R_8F_E4M3) &&
         c.type == d.type && !IsFloat8(d) && own.a_scale != nullptr && own.b_scale != nullptr &&
         sixteen && !(bias && d.type == CUDA_R_32F && own.bias_type != CUDA_R_16BF);
}

// As the heuristic was told.
bool IsAligned(const void* data) {
  return reinterpret_cast<uintptr_t>(data) % inferd::kDeviceValueAlignment == 0;
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }
size_t cublasLtGetVersion() { return 130000; }
const char* cublasLtGetStatusName(cublasStatus_t) { return "emulated status"; }

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, size_t,
                                                 cudaDataType type, uint64_t rows, uint64_t columns,
                                                 int64_t leading) {
  As<cublasLtMatrixLayoutOpaque_t, Layout>(layout) = {
      static_cast<int64_t>(rows), static_cast<int64_t>(columns), leading, 0, type, 1};
  return leading < static_cast<int64_t>(rows) ? CUBLAS_STATUS_INVALID_VALUE : CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, size_t bytes) {
  Layout& own = As<cublasLtMatrixLayoutOpaque_t, Layout>(layout);
  if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT && bytes == sizeof(own.batch)) {
    std::memcpy(&own.batch, value, bytes);
  } else if (attribute == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET &&
             bytes == sizeof(own.stride)) {
    std::memcpy(&own.stride, value, bytes);
  } else {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t description, size_t,
                                               cublasComputeType_t compute,
                                               cudaDataType_t scale_type) {
  As<cublasLtMatmulDescOpaque_t, Description>(description) = {
      CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, -1, nullptr, compute, scale_type,
      nullptr,     nullptr};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  Description& own = As<cublasLtMatmulDescOpaque_t, Description>(description);
  const auto take = [&](auto* field) {
    if (bytes != sizeof(*field)) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(field, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return take(&own.transposed_a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return take(&own.transposed_b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return take(&own.epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return take(&own.bias);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return take(&own.bias_type);
    case CUBLASLT_MATMUL_DESC_A_SCALE_POINTER:
      return take(&own.a_scale);
    case CUBLASLT_MATMUL_DESC_B_SCALE_POINTER:
      return take(&own.b_scale);
    default:
      return CUBLAS_STATUS_INVALID_VALUE;
  }
}

cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t, size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                    cublasLtMatmulPreferenceAttributes_t,
                                                    const void*, size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t, int requested,
                                              cublasLtMatmulHeuristicResult_t results[],
                                              int* count) {
  *count = std::min(requested, static_cast<int>(std::size(kAlgorithms)));
  for (int i = 0; i < *count; ++i) {
    results[i] = {};
    results[i].state = CUBLAS_STATUS_SUCCESS;
    results[i].algo.data[0] = static_cast<uint64_t>(i);
    results[i].workspaceSize = kAlgorithms[i].workspace_bytes;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              size_t workspace_bytes, cudaStream_t) {
  const uint64_t chosen = algorithm->data[0];
  if (chosen >= std::size(kAlgorithms)) return CUBLAS_STATUS_INVALID_VALUE;
  const size_t needed = kAlgorithms[chosen].workspace_bytes;
  if (workspace_bytes < needed || (needed > 0 && workspace == nullptr)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (needed > 0) std::memset(workspace, 0x5a, needed);
  inferd::cuda_emulation::PassTime(kAlgorithms[chosen].milliseconds);
  const Description& own = As<cublasLtMatmulDescOpaque_t, Description>(description);
  const Layout& la = As<cublasLtMatrixLayoutOpaque_t, Layout>(a_layout);
  const Layout& lb = As<cublasLtMatrixLayoutOpaque_t, Layout>(b_layout);
  const Layout& lc = As<cublasLtMatrixLayoutOpaque_t, Layout>(c_layout);
  const Layout& ld = As<cublasLtMatrixLayoutOpaque_t, Layout>(d_layout);
  const bool ta = own.transposed_a == CUBLAS_OP_T;
  const bool tb = own.transposed_b == CUBLAS_OP_T;
  const int64_t k = ta ? la.rows : la.columns;
  const bool fits = (ta ? la.columns : la.rows) == ld.rows && (tb ? lb.columns : lb.rows) == k &&
                    (tb ? lb.rows : lb.columns) == ld.columns && la.batch == ld.batch &&
                    lb.batch == ld.batch && lc.rows == ld.rows && lc.columns == ld.columns;
  if (!fits || !IsAligned(a) || !IsAligned(b) || !IsAligned(d)) return CUBLAS_STATUS_INVALID_VALUE;
  const bool integers = own.scale_type == CUDA_R_32I;
  if ((la.type == CUDA_R_8I || integers) && !TakesBytes(own, la, lb, ld)) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  const bool scaled = IsFloat8(la) || IsFloat8(lb) || own.a_scale != nullptr;
  if (scaled && !TakesFloat8(own, la, lb, lc, ld)) return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto factor = [&](const void* data) -> double {
    return integers ? *static_cast<const int32_t*>(data) : *static_cast<const float*>(data);
  };
  const double scale = factor(alpha) * (scaled ? double{*own.a_scale} * *own.b_scale : 1);
  const double scale_c = factor(beta);
  const bool bias =
      own.epilogue == CUBLASLT_EPILOGUE_BIAS || own.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  const bool relu =
      own.epilogue == CUBLASLT_EPILOGUE_RELU || own.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  for (int64_t batch = 0; batch < ld.batch; ++batch) {
    for (int64_t column = 0; column < ld.columns; ++column) {
      for (int64_t row = 0; row < ld.rows; ++row) {
        double sum = 0;
        for (int64_t i = 0; i < k; ++i) {
          sum += Load(a, la.type, ta ? At(la, batch, i, row) : At(la, batch, row, i)) *
                 Load(b, lb.type, tb ? At(lb, batch, column, i) : At(lb, batch, i, column));
        }
        double value = scale * sum + (chosen == kWrongAlgorithm ? 1 : 0);
        if (scale_c != 0) value += scale_c * Load(c, lc.type, At(lc, batch, row, column));
        if (bias) value += Load(own.bias, own.bias_type < 0 ? ld.type : own.bias_type, row);
        if (relu) value = std::max(value, 0.0);
        Store(d, ld.type, At(ld, batch, row, column), value);
      }
    }
  }
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
