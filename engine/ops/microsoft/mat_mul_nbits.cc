#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/index_check.h"
#include "engine/ops/matmul.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kA, kB, kScales, kZeroPoints, kGroups, kBias };

// The weights [N,K] in blocks along K, each block packed into whole bytes, low bits first.
struct PackedWeights {
  int64_t rows;     // N
  int64_t columns;  // K
  int64_t bits;
  int64_t block_size;

  int64_t blocks() const { return (columns + block_size - 1) / block_size; }
  int64_t block_bytes() const { return block_size * bits / 8; }
  int64_t zero_point_bytes() const { return (blocks() * bits + 7) / 8; }  // of one row
};

absl::StatusOr<PackedWeights> Resolve(const Attributes& attributes) {
  constexpr int64_t kLimit = int64_t{1} << 24;
  const PackedWeights weights{.rows = attributes.Int("N", 0),
                              .columns = attributes.Int("K", 0),
                              .bits = attributes.Int("bits", 4),
                              .block_size = attributes.Int("block_size", 0)};
  if (weights.rows < 1 || weights.rows > kLimit || weights.columns < 1 ||
      weights.columns > kLimit) {
    return absl::InvalidArgumentError(absl::StrCat("attributes N and K are ", weights.rows, " and ",
                                                   weights.columns, ", expected 1 to ", kLimit));
  }
  if (weights.bits != 2 && weights.bits != 4 && weights.bits != 8) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute bits is ", weights.bits, ", expected 2, 4 or 8"));
  }
  const int64_t block = weights.block_size;
  if (block < 16 || block > kLimit || (block & (block - 1)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute block_size is ", block, ", expected a power of two from 16 on"));
  }
  if (attributes.Int("weight_prepacked", 0) != 0) {
    return absl::UnimplementedError("attribute weight_prepacked: only plain weights are supported");
  }
  return weights;
}

absl::Status CheckElements(const InferContext& context, int i, absl::string_view name,
                           int64_t expected) {
  if (!context.has_input(i) || !context.shape(i).IsConcrete()) return absl::OkStatus();
  const Shape shape = context.shape(i).ToShape();
  if (shape.num_elements() == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has shape ", shape.ToString(), ", expected ", expected, " elements"));
}

// Weights of no elements stand for zeros, whatever their scales are.
bool IsOmitted(const SymbolicShape& b) {
  return std::any_of(b.dims().begin(), b.dims().end(), [](const Dim& dim) { return dim.Is(0); });
}

absl::Status CheckParameters(const InferContext& context, const PackedWeights& weights) {
  RETURN_IF_ERROR(CheckElements(context, kBias, "bias", weights.rows));
  if (!context.shape(kB).IsConcrete() || IsOmitted(context.shape(kB))) return absl::OkStatus();
  const int64_t blocks = weights.blocks();
  RETURN_IF_ERROR(CheckElements(context, kB, "B", weights.rows * blocks * weights.block_bytes()));
  RETURN_IF_ERROR(CheckElements(context, kScales, "scales", weights.rows * blocks));
  const bool packed = context.has_input(kZeroPoints) && context.dtype(kZeroPoints) == DType::kUint8;
  return CheckElements(context, kZeroPoints, "zero_points",
                       weights.rows * (packed ? weights.zero_point_bytes() : blocks));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(
      CheckInputType(context, kA, {DType::kFloat32, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckInputType(context, kB, {DType::kUint8}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kA, kScales, kBias}));
  if (context.has_input(kZeroPoints) && context.dtype(kZeroPoints) != DType::kUint8) {
    RETURN_IF_ERROR(CheckSameTypes(context, {kA, kZeroPoints}));
  }
  RETURN_IF_ERROR(CheckInputType(context, kGroups, {DType::kInt32}));
  ASSIGN_OR_RETURN(const PackedWeights weights, Resolve(context.attributes()));
  RETURN_IF_ERROR(CheckParameters(context, weights));
  ASSIGN_OR_RETURN(const MatMulShape shape,
                   ResolveMatMul(context.shape(kA), Shape{weights.columns, weights.rows}));
  context.SetOutput(0, context.dtype(kA), shape.output);
  return absl::OkStatus();
}

// Number `i` of those that `bits` bits each take from `bytes` on.
int64_t Unpack(const uint8_t* bytes, int64_t i, int64_t bits) {
  const int64_t per_byte = 8 / bits;
  return bytes[i / per_byte] >> (i % per_byte * bits) & ((1 << bits) - 1);
}

// The zero point of each block of each row.
absl::StatusOr<std::vector<double>> ReadBlockZeroPoints(const KernelContext& context,
                                                        const PackedWeights& weights) {
  const int64_t count = weights.rows * weights.blocks();
  if (!context.has_input(kZeroPoints)) {
    return std::vector<double>(count, static_cast<double>(1 << (weights.bits - 1)));
  }
  const Tensor& given = context.input(kZeroPoints);
  if (given.dtype() != DType::kUint8) return ToDoubles(given);
  std::vector<double> zeros;
  zeros.reserve(count);
  for (int64_t n = 0; n < weights.rows; ++n) {
    const uint8_t* row = given.data<uint8_t>() + n * weights.zero_point_bytes();
    for (int64_t b = 0; b < weights.blocks(); ++b) {
      zeros.push_back(static_cast<double>(Unpack(row, b, weights.bits)));
    }
  }
  return zeros;
}

// The block whose scale serves column k: given for every k, or the one it is stored in.
absl::StatusOr<std::vector<int64_t>> ReadGroups(const KernelContext& context,
                                                const PackedWeights& weights) {
  std::vector<int64_t> groups(weights.columns);
  if (!context.has_input(kGroups) || context.input(kGroups).num_elements() == 0) {
    for (int64_t k = 0; k < weights.columns; ++k) groups[k] = k / weights.block_size;
    return groups;
  }
  ASSIGN_OR_RETURN(groups, context.input(kGroups).ToInt64s());
  if (static_cast<int64_t>(groups.size()) < weights.columns) {
    return absl::InvalidArgumentError(
        absl::StrCat("g_idx has ", groups.size(), " elements, expected ", weights.columns));
  }
  groups.resize(weights.columns);
  for (int64_t group : groups) {
    if (group < 0 || group >= weights.blocks()) {
      return absl::InvalidArgumentError(
          absl::StrCat("g_idx has ", group, ", expected 0 to ", weights.blocks() - 1));
    }
  }
  return groups;
}

// The weights as floats, transposed: [K,N].
absl::StatusOr<Tensor> Unpacked(const KernelContext& context, const PackedWeights& weights) {
  ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(DType::kFloat32, {weights.columns, weights.rows},
                                                   Layout::kRowMajor, context.limit_bytes()));
  float* values = result.mutable_data<float>();
  if (context.input(kB).num_elements() == 0) {
    std::fill_n(values, result.num_elements(), 0.0f);
    return result;
  }
  ASSIGN_OR_RETURN(const std::vector<double> scales, ToDoubles(context.input(kScales)));
  ASSIGN_OR_RETURN(const std::vector<double> zeros, ReadBlockZeroPoints(context, weights));
  ASSIGN_OR_RETURN(const std::vector<int64_t> groups, ReadGroups(context, weights));
  const int64_t row_bytes = weights.blocks() * weights.block_bytes();
  for (int64_t n = 0; n < weights.rows; ++n) {
    const uint8_t* row = context.input(kB).data<uint8_t>() + n * row_bytes;
    for (int64_t k = 0; k < weights.columns; ++k) {
      const int64_t at = n * weights.blocks() + groups[k];
      const double centred = static_cast<double>(Unpack(row, k, weights.bits)) - zeros[at];
      values[k * weights.rows + n] = static_cast<float>(centred * scales[at]);
    }
  }
  return result;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(kA);
  ASSIGN_OR_RETURN(const PackedWeights weights, Resolve(context.attributes()));
  ASSIGN_OR_RETURN(const MatMulShape shape,
                   ResolveMatMul(a.shape(), Shape{weights.columns, weights.rows}));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, a.dtype(), shape.output.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Tensor b, Unpacked(context, weights));
  const int64_t rows = y->num_elements() / weights.rows;
  return DispatchTypes<float, Float16, Bfloat16>(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Accumulators<float> left(a.data<T>(), a.num_elements());
    std::vector<float> sums(y->num_elements(), 0.0f);
    for (int64_t i = 0; context.has_input(kBias) && i < y->num_elements(); ++i) {
      sums[i] = static_cast<float>(context.input(kBias).data<T>()[i % weights.rows]);
    }
    AddMatrixProduct(rows, weights.rows, weights.columns, left.data(), b.data<float>(),
                     sums.data());
    for (size_t i = 0; i < sums.size(); ++i) y->mutable_data<T>()[i] = static_cast<T>(sums[i]);
    return absl::OkStatus();
  });
}

}  // namespace

OpDef MatMulNbits() {
  return {.domain = "com.microsoft",
          .name = "MatMulNBits",
          .min_inputs = 3,
          .max_inputs = 6,
          .attributes = {{"K", AttributeKind::kInt, true},
                         {"N", AttributeKind::kInt, true},
                         {"accuracy_level", AttributeKind::kInt},
                         {"bits", AttributeKind::kInt},
                         {"block_size", AttributeKind::kInt, true},
                         {"weight_prepacked", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
